//! The answer about one launch: the verdict, what it rests on, and what the caller is told to do.

use std::sync::Arc;

use crate::model::{
    Amount, AskedLaunch, Capacity, Decision, Freshness, Moment, Outcome, Quota, QuotaKey,
    Restriction, Strictness, Unavailability, UnknownReason, Verdict, decide,
};

use super::region_verdicts::{ExplainedVerdict, Policy, RegionVerdicts};

/// The answer about one launch.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The advice to the caller.
    pub decision: Decision,
    /// The capacity that the cloud reports now, if it does: a hint beside the verdict.
    pub capacity: Option<Capacity>,
    /// The cloud's restriction on such launches, whatever the quotas.
    pub restriction: Option<Restriction>,
    /// The capacity failure that still hides such launches.
    pub unavailable: Option<Unavailability>,
    explained: Arc<ExplainedVerdict>,
    region: Option<Arc<RegionVerdicts>>,
}

/// The quota that decided a verdict, with its numbers as they were then.
#[derive(Clone, Copy, Debug)]
pub struct BindingQuota<'a> {
    /// Which quota.
    pub key: &'a QuotaKey,
    /// Its row, if it was read.
    pub row: Option<&'a Quota>,
    /// How much of it is held for launches under way.
    pub leased: Amount,
    /// How much the launch takes of it, if that is known.
    pub required: Option<Amount>,
}

impl Assessment {
    pub(super) fn new(
        policy: Policy,
        region: &Arc<RegionVerdicts>,
        explained: Arc<ExplainedVerdict>,
        launch: AskedLaunch<'_>,
    ) -> Self {
        let outcome = explained.verdict.outcome;
        let (instance_type, market) = (launch.instance_type, launch.market);
        Self {
            decision: region.decide(outcome, policy, launch),
            capacity: region.capacity(instance_type, market).cloned(),
            restriction: region.restriction(instance_type, market).cloned(),
            unavailable: region.unavailability(launch).cloned(),
            explained,
            region: Some(Arc::clone(region)),
        }
    }

    /// The answer about a launch of a backend that there is not.
    pub(in crate::oracle) fn of_unknown_backend(name: &str) -> Self {
        Self::unknown(format!("there is no backend `{name}`"), None)
    }

    /// The answer about a launch at a place that nobody knows, for this reason; by the policy of
    /// its backend, if there is one.
    pub(super) fn unknown(reason: String, policy: Option<Policy>) -> Self {
        let outcome = Outcome::Unknown(UnknownReason::Unmapped);
        let verdict = Verdict {
            outcome,
            basis: None,
            launchable: None,
            binding: None,
        };
        let policy = policy.unwrap_or(Policy {
            strictness: Strictness::Off,
            shadow: false,
        });
        Self {
            decision: decide(outcome, policy.strictness, policy.shadow, false),
            capacity: None,
            restriction: None,
            unavailable: None,
            explained: Arc::new(ExplainedVerdict { verdict, reason }),
            region: None,
        }
    }

    /// Returns whether it fits, whatever the caller is told.
    pub fn verdict(&self) -> &Verdict {
        &self.explained.verdict
    }

    /// Returns the sentence that explains the verdict.
    pub fn reason(&self) -> &str {
        &self.explained.reason
    }

    /// Returns when the region's quotas were read, if they were.
    pub fn taken_at(&self) -> Option<Moment> {
        self.region.as_ref()?.taken_at
    }

    /// Returns how far that may be relied on.
    pub fn freshness(&self) -> Option<Freshness> {
        self.region.as_ref()?.freshness
    }

    /// Returns the quota that decided, if it is known which.
    pub fn binding(&self) -> Option<BindingQuota<'_>> {
        let binding = self.explained.verdict.binding.as_ref()?;
        let quotas = &self.region.as_ref()?.quotas;
        let row = binding.row.and_then(|place| quotas.row(place));
        Some(BindingQuota {
            key: &binding.quota,
            row,
            leased: row.map_or(Amount::ZERO, |row| quotas.leased(row)),
            required: binding.required,
        })
    }
}
