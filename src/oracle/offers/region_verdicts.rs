//! A region's quotas, ready to judge launches, and the outlook of every demand of the catalog.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{
    AskedLaunch, Capacity, Decision, Demand, Failure, Freshness, Market, Moment, Outcome, Outlook,
    QuotaIndex, Region, Restriction, Strictness, Unavailability, UnknownReason, Verdict, decide,
    judge, reason,
};
use crate::oracle::view::{RegionView, Revision};

use super::demands::Demands;

/// A region, judged as it is known at one moment.
#[derive(Debug)]
pub(super) struct RegionVerdicts {
    /// Different for every region that was ever judged.
    id: u64,
    pub(super) name: Region,
    revision: Option<Revision>,
    pub(super) next_change: Option<Moment>,
    pub(super) taken_at: Option<Moment>,
    pub(super) freshness: Option<Freshness>,
    pub(super) quotas: QuotaIndex,
    failure: Option<Failure>,
    /// The capacity that the cloud reports, ordered by type and market.
    capacity: Vec<Capacity>,
    /// Ordered by type: a location may have a thousand.
    restrictions: Vec<Restriction>,
    unavailable: Vec<Unavailability>,
    demands: Arc<Demands>,
    /// For each demand of the catalog, by its number.
    outlooks: Box<[Outlook]>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A verdict and the sentence that explains it.
#[derive(Debug)]
pub(super) struct ExplainedVerdict {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
}

/// The policy of a backend: what it makes of verdicts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) strictness: Strictness,
    pub(super) shadow: bool,
}

impl RegionVerdicts {
    /// The region as `view` shows it.
    pub(super) fn new(view: &RegionView, demands: Arc<Demands>) -> Self {
        let mut capacity = view.capacity().to_vec();
        capacity.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut restrictions = view.restrictions().to_vec();
        restrictions.sort_by(|a, b| a.instance_type.cmp(&b.instance_type));
        let snapshot = view.snapshot();
        Self {
            name: view.region().clone(),
            revision: Some(view.revision()),
            next_change: view.next_change(),
            taken_at: snapshot.map(|known| known.taken_at),
            freshness: snapshot.map(|known| known.age.freshness),
            failure: view.last_failure().map(|record| record.failure.clone()),
            capacity,
            restrictions,
            unavailable: view.unavailable().to_vec(),
            ..Self::with_index(view.region().clone(), view.quota_index(), demands)
        }
    }

    /// The part of a region that concerns the launch of a type: `quotas` are the rows that it draws
    /// from.
    pub(super) fn of_launch(
        view: &RegionView,
        quotas: QuotaIndex,
        launch: AskedLaunch<'_>,
    ) -> Self {
        let (instance_type, market) = (launch.instance_type, launch.market);
        let snapshot = view.snapshot();
        let capacity = view.capacity().iter();
        let restrictions = view.restrictions().iter();
        let unavailable = view.unavailable().iter();
        let wanted = (instance_type, market);
        Self {
            taken_at: snapshot.map(|known| known.taken_at),
            freshness: snapshot.map(|known| known.age.freshness),
            failure: view.last_failure().map(|record| record.failure.clone()),
            capacity: capacity.filter(|one| key(one) == wanted).cloned().collect(),
            restrictions: restrictions
                .filter(|one| one.applies_to(instance_type, market))
                .cloned()
                .collect(),
            unavailable: unavailable
                .filter(|one| one.applies_to(launch))
                .cloned()
                .collect(),
            ..Self::with_index(view.region().clone(), quotas, Arc::default())
        }
    }

    /// A region that nothing is known of, not even whether it exists.
    pub(super) fn unread(
        name: Region,
        failure: Option<Failure>,
        quotas: QuotaIndex,
        demands: Arc<Demands>,
    ) -> Self {
        Self {
            failure,
            ..Self::with_index(name, quotas, demands)
        }
    }

    fn with_index(name: Region, quotas: QuotaIndex, demands: Arc<Demands>) -> Self {
        let distinct = demands.distinct().iter();
        Self {
            outlooks: distinct
                .map(|demand| Outlook::new(demand, &quotas))
                .collect(),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name,
            revision: None,
            next_change: None,
            taken_at: None,
            freshness: None,
            quotas,
            failure: None,
            capacity: Vec::new(),
            restrictions: Vec::new(),
            unavailable: Vec::new(),
            demands,
        }
    }

    /// Whether this is what `view` shows, judged for the same catalog.
    pub(super) fn shows(&self, view: &RegionView, demands: &Arc<Demands>) -> bool {
        self.revision == Some(view.revision()) && Arc::ptr_eq(&self.demands, demands)
    }

    /// Returns a number that no other judged region of the process has.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Returns the demands of the region.
    pub(super) fn demands(&self) -> &Arc<Demands> {
        &self.demands
    }

    /// Returns what the cloud says it has room for, which is a hint beside the verdict.
    pub(super) fn capacity(&self, instance_type: &str, market: Market) -> Option<&Capacity> {
        let wanted = (instance_type, market);
        let found = self
            .capacity
            .binary_search_by(|known| key(known).cmp(&wanted));
        Some(&self.capacity[found.ok()?])
    }

    /// Returns the restriction on launches of this type and market: one that prevents them, if
    /// there is one.
    pub(super) fn restriction(&self, instance_type: &str, market: Market) -> Option<&Restriction> {
        let first = self
            .restrictions
            .partition_point(|restriction| *restriction.instance_type < *instance_type);
        self.restrictions[first..]
            .iter()
            .take_while(|restriction| &*restriction.instance_type == instance_type)
            .filter(|restriction| restriction.applies_to(instance_type, market))
            .min_by_key(|restriction| !restriction.kind.prevents_launch())
    }

    /// Returns the failure that still hides such a launch.
    pub(super) fn unavailability(&self, launch: AskedLaunch<'_>) -> Option<&Unavailability> {
        let mut all = self.unavailable.iter();
        all.find(|known| known.applies_to(launch))
    }

    /// Whether some types are treated apart from others of the same demand.
    pub(super) fn has_exceptions(&self) -> bool {
        !self.restrictions.is_empty() || !self.unavailable.is_empty()
    }

    /// Returns the outlook of a demand of the catalog, by its number.
    pub(super) fn outlook(&self, demand: u32) -> &Outlook {
        &self.outlooks[demand as usize]
    }

    /// Returns the outlooks of all demands of the catalog, by their numbers.
    pub(super) fn outlooks(&self) -> &[Outlook] {
        &self.outlooks
    }

    /// Decides on a launch with this outcome of its quotas.
    pub(super) fn decide(
        &self,
        outcome: Outcome,
        policy: Policy,
        launch: AskedLaunch<'_>,
    ) -> Decision {
        let is_prevented = self.has_exceptions()
            && (self
                .restriction(launch.instance_type, launch.market)
                .is_some_and(|restriction| restriction.kind.prevents_launch())
                || self.unavailability(launch).is_some());
        decide(outcome, policy.strictness, policy.shadow, is_prevented)
    }

    /// Judges launches of a demand and explains the verdict.
    pub(super) fn explain(&self, demand: &Demand, count: u32) -> ExplainedVerdict {
        let verdict = judge(demand, count, &self.quotas);
        let mut reason = reason(&verdict, demand, &self.quotas, &self.name);
        let unread = matches!(
            verdict.outcome,
            Outcome::Unknown(UnknownReason::Unread | UnknownReason::Expired)
        );
        if let (true, Some(failure)) = (unread, &self.failure) {
            reason.push_str(&format!(": {failure}"));
        }
        ExplainedVerdict { verdict, reason }
    }
}

fn key(capacity: &Capacity) -> (&str, Market) {
    (&capacity.instance_type, capacity.market)
}
