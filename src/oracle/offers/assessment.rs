//! What is said of a launch, and what that rests on.

use std::sync::Arc;

use crate::model::{
    Amount, Capacity, Decision, Freshness, Moment, Outcome, Quota, QuotaKey, Strictness,
    UnknownReason, Verdict, decide,
};

use super::judged_catalog::BackendView;
use super::region_verdicts::{ExplainedVerdict, RegionVerdicts};

/// What is said of a launch, and why.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What the caller is told to do.
    pub decision: Decision,
    /// What the cloud says it has room for now, if it says so: advice beside the verdict.
    pub capacity: Option<Capacity>,
    judged: Arc<ExplainedVerdict>,
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
        view: &BackendView,
        region: &Arc<RegionVerdicts>,
        judged: Arc<ExplainedVerdict>,
        capacity: Option<&Capacity>,
    ) -> Self {
        // Nothing remembers denied capacity yet.
        let out_of_capacity = false;
        let outcome = judged.verdict.outcome;
        Self {
            decision: decide(outcome, view.strictness, view.shadow, out_of_capacity),
            capacity: capacity.cloned(),
            judged,
            region: Some(Arc::clone(region)),
        }
    }

    /// What is said of a launch at a place that nobody knows, for this reason; by whose strictness,
    /// if it is a backend's.
    pub(super) fn unknown(reason: String, view: Option<&BackendView>) -> Self {
        let outcome = Outcome::Unknown(UnknownReason::Unmapped);
        let verdict = Verdict {
            outcome,
            basis: None,
            launchable: None,
            binding: None,
        };
        let (strictness, shadow) = view.map_or((Strictness::Off, false), |view| {
            (view.strictness, view.shadow)
        });
        Self {
            decision: decide(outcome, strictness, shadow, false),
            capacity: None,
            judged: Arc::new(ExplainedVerdict { verdict, reason }),
            region: None,
        }
    }

    /// Whether it fits, whatever the caller is told.
    pub fn verdict(&self) -> &Verdict {
        &self.judged.verdict
    }

    /// The sentence that explains it.
    pub fn reason(&self) -> &str {
        &self.judged.reason
    }

    /// When the region's quotas were read, if they were.
    pub fn taken_at(&self) -> Option<Moment> {
        self.region.as_ref()?.taken_at
    }

    /// How far that may be relied on.
    pub fn freshness(&self) -> Option<Freshness> {
        self.region.as_ref()?.freshness
    }

    /// The quota that decided, if it is known which.
    pub fn binding(&self) -> Option<BindingQuota<'_>> {
        let binding = self.judged.verdict.binding.as_ref()?;
        let quotas = &self.region.as_ref()?.quotas;
        Some(BindingQuota {
            key: &binding.quota,
            row: binding.row.and_then(|place| quotas.row(place)),
            leased: quotas.leased(&binding.quota),
            required: binding.required,
        })
    }
}
