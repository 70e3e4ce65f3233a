//! The quotas of each account in each region: applied values, usage, and values AWS cannot tell.

use std::collections::HashMap;
use std::fmt;

use super::catalogue::{self, CatalogueQuota};
use super::settings::Account;

/// EC2's refusal of a launch that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchRefused {
    /// The code that RunInstances would answer with.
    pub code: &'static str,
    /// Its message, which names the limit for on-demand instances.
    pub message: String,
}

impl fmt::Display for LaunchRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for LaunchRefused {}

/// One quota of an account in a region.
#[derive(Clone, Debug)]
pub(super) struct QuotaState {
    /// None where AWS has no applied value.
    pub(super) applied: Option<f64>,
    pub(super) usage: f64,
    /// The `ErrorReason` code that takes the value's place.
    pub(super) error_reason: Option<String>,
    /// The name that is shown instead of the catalogue's.
    pub(super) name: Option<String>,
}

/// All accounts.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) list: Vec<Account>,
    /// Only what differs from the catalogue, by account, region and code.
    changed: HashMap<(String, String, String), QuotaState>,
}

impl Accounts {
    pub(super) fn new(list: Vec<Account>) -> Self {
        let mut changed = HashMap::new();
        for account in &list {
            for seed in &account.quotas {
                let at = (account.id.clone(), seed.region.clone(), seed.code.clone());
                let state = QuotaState {
                    applied: Some(seed.limit),
                    usage: seed.usage,
                    error_reason: None,
                    name: None,
                };
                changed.insert(at, state);
            }
        }
        Self { list, changed }
    }

    pub(super) fn get(&self, account: &str) -> Option<&Account> {
        self.list.iter().find(|known| known.id == account)
    }

    pub(super) fn is_enabled(&self, account: &str, region: &str) -> bool {
        self.get(account)
            .is_some_and(|account| account.regions.iter().any(|enabled| enabled == region))
    }

    pub(super) fn quota(&self, account: &str, region: &str, quota: &CatalogueQuota) -> QuotaState {
        let at = (account.to_owned(), region.to_owned(), quota.code.clone());
        self.changed.get(&at).cloned().unwrap_or(QuotaState {
            applied: Some(quota.default),
            usage: 0.0,
            error_reason: None,
            name: None,
        })
    }

    /// The state of a quota for changing it; none where account, region or code is unknown.
    pub(super) fn quota_mut(
        &mut self,
        account: &str,
        region: &str,
        code: &str,
    ) -> Option<&mut QuotaState> {
        let quota = catalogue::find(code)?;
        if !self.is_enabled(account, region) {
            return None;
        }
        let now = self.quota(account, region, quota);
        let at = (account.to_owned(), region.to_owned(), code.to_owned());
        Some(self.changed.entry(at).or_insert(now))
    }
}

impl QuotaState {
    /// Takes this much, unless the limit forbids it.
    pub(super) fn launch(&mut self, code: &str, amount: f64) -> Result<(), LaunchRefused> {
        let limit = self.applied.unwrap_or(f64::INFINITY);
        if self.usage + amount > limit {
            return Err(refusal(code, limit));
        }
        self.usage += amount;
        Ok(())
    }

    /// Gives this much back.
    pub(super) fn terminate(&mut self, amount: f64) {
        self.usage = (self.usage - amount).max(0.0);
    }
}

fn refusal(code: &str, limit: f64) -> LaunchRefused {
    let class = catalogue::find(code).and_then(|quota| quota.class);
    match class {
        Some(class) if class.ends_with("/Spot") => LaunchRefused {
            code: "MaxSpotInstanceCountExceeded",
            message: "Max spot instance count exceeded".to_owned(),
        },
        Some(_) => LaunchRefused {
            code: "VcpuLimitExceeded",
            message: format!(
                "You have requested more vCPU capacity than your current vCPU limit of {limit} \
                 allows for the instance bucket that the specified instance type belongs to. \
                 Please visit http://aws.amazon.com/contact-us/ec2-request to request an \
                 adjustment to this limit."
            ),
        },
        None => LaunchRefused {
            code: "LimitExceeded",
            message: format!("You have reached the limit of {limit}."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_beyond_the_limit_is_refused_in_ec2_s_words() {
        let mut state = QuotaState {
            applied: Some(96.0),
            usage: 0.0,
            error_reason: None,
            name: None,
        };
        assert_eq!(state.launch("L-417A185B", 96.0), Ok(()));
        let refused = state.launch("L-417A185B", 1.0).unwrap_err();
        assert_eq!(refused.code, "VcpuLimitExceeded");
        assert!(refused.message.contains("current vCPU limit of 96 allows"));
        state.terminate(48.0);
        assert_eq!(state.launch("L-417A185B", 48.0), Ok(()));
    }
}
