//! Launches that have just failed, so that others like them are passed over for a while.

use std::sync::Arc;

use super::{Amount, Demand, Market, Moment, QuotaKey};

/// A failure that is still in force: launches like the one that failed are passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Unavailability {
    /// Which launches.
    pub launches: Launches,
    /// The market in which they fail; both if absent.
    pub market: Option<Market>,
    /// When one failed.
    pub since: Moment,
    /// Until when they are passed over.
    pub until: Moment,
    /// The sentence that explains it.
    pub reason: Arc<str>,
}

/// The launches that a failure speaks of.
#[derive(Clone, Debug, PartialEq)]
pub enum Launches {
    /// Those of a type, named as offers name it.
    OfType(Arc<str>),
    /// Those that take so much of a quota or more.
    Drawing {
        /// Which quota.
        quota: QuotaKey,
        /// The amount that the launch that failed took of it.
        from: Amount,
    },
}

/// A launch that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct AskedLaunch<'a> {
    /// The type, named as offers name it.
    pub instance_type: &'a str,
    /// How it is paid for.
    pub market: Market,
    /// The quotas that one instance draws on.
    pub demand: &'a Demand,
    /// The number of instances.
    pub count: u32,
}

impl Unavailability {
    /// Whether it speaks of this launch.
    pub fn applies_to(&self, launch: AskedLaunch<'_>) -> bool {
        if self.market.is_some_and(|only| only != launch.market) {
            return false;
        }
        match &self.launches {
            Launches::OfType(name) => name.eq_ignore_ascii_case(launch.instance_type),
            Launches::Drawing { quota, from } => {
                let mut draws = launch.demand.draws.iter();
                let draw = draws.find(|draw| draw.quota == *quota);
                // One of an unknown size may be smaller than the one that failed.
                let each = draw.and_then(|draw| draw.amount);
                each.is_some_and(|each| each * launch.count.max(1) >= *from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Draw;
    use jiff::{SignedDuration, Timestamp};

    const NOW: Moment = Moment {
        wall: Timestamp::UNIX_EPOCH,
        since_start: SignedDuration::ZERO,
    };

    fn failure(launches: Launches) -> Unavailability {
        Unavailability {
            launches,
            market: Some(Market::OnDemand),
            since: NOW,
            until: NOW,
            reason: "it failed".into(),
        }
    }

    fn demand(amount: Option<u32>) -> Demand {
        let quota = QuotaKey::new("ec2", "L-1");
        let amount = amount.map(Amount::from);
        Demand {
            draws: vec![Draw { quota, amount }],
            unmapped: None,
        }
    }

    #[test]
    fn a_want_of_capacity_speaks_of_one_type_in_one_market() {
        let failure = failure(Launches::OfType("p5.48xlarge".into()));
        let demand = demand(Some(192));
        let applies = |instance_type, market| {
            failure.applies_to(AskedLaunch {
                instance_type,
                market,
                demand: &demand,
                count: 1,
            })
        };
        assert!(applies("p5.48xlarge", Market::OnDemand));
        assert!(!applies("p5.48xlarge", Market::Spot));
        assert!(!applies("p5.4xlarge", Market::OnDemand));
    }

    #[test]
    fn a_quota_that_was_met_speaks_of_launches_as_large_or_larger() {
        let failure = failure(Launches::Drawing {
            quota: QuotaKey::new("ec2", "L-1"),
            from: Amount::from(96u32),
        });
        let applies = |each, count| {
            failure.applies_to(AskedLaunch {
                instance_type: "any",
                market: Market::OnDemand,
                demand: &demand(each),
                count,
            })
        };
        assert!(applies(Some(96), 1) && applies(Some(192), 1) && applies(Some(48), 2));
        assert!(!applies(Some(48), 1) && !applies(None, 1));
    }
}
