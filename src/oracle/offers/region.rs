//! The quotas of one region, ready to judge launches, and the verdicts that were given before.

use std::sync::{Arc, OnceLock};

use crate::model::{
    Capacity, Demand, Doubt, Failure, Freshness, Leased, Market, Moment, Outcome, QuotaIndex,
    Region, Verdict, judge, reason,
};
use crate::oracle::RegionView;

use super::demands::Demands;

/// A region, judged as it is known at one moment.
#[derive(Debug)]
pub(super) struct JudgedRegion {
    name: Region,
    version: u64,
    pub(super) taken_at: Option<Moment>,
    pub(super) freshness: Option<Freshness>,
    pub(super) quotas: QuotaIndex,
    failure: Option<Failure>,
    /// What the cloud says it has room for, ordered by type and market.
    capacity: Vec<Capacity>,
    demands: Arc<Demands>,
    /// The verdict on one instance of each demand of the catalog, judged when first asked for.
    singles: Box<[OnceLock<Arc<Judged>>]>,
}

/// A verdict and the sentence that explains it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
}

impl JudgedRegion {
    /// The region as `view` shows it.
    pub(super) fn new(view: RegionView, demands: Arc<Demands>) -> Self {
        let leased: Leased = view.leased;
        let known = view.known.as_ref();
        let mut capacity = known
            .filter(|known| known.standing.freshness != Freshness::Expired)
            .and_then(|known| known.reading.capacity.get(&view.location.region))
            .cloned()
            .unwrap_or_default();
        capacity.sort_by(|a, b| key(a).cmp(&key(b)));
        let quotas = match known {
            None => QuotaIndex::unread(),
            Some(known) => {
                let snapshot = Arc::clone(&known.snapshot);
                match known.standing.freshness {
                    Freshness::Expired => QuotaIndex::expired(snapshot, leased),
                    Freshness::Fresh | Freshness::Stale => QuotaIndex::new(snapshot, leased),
                }
            }
        };
        Self {
            name: view.location.region,
            version: view.version,
            taken_at: known.map(|known| known.taken_at),
            freshness: known.map(|known| known.standing.freshness),
            quotas,
            failure: view.last_failure.map(|record| record.failure),
            capacity,
            singles: (0..demands.len()).map(|_| OnceLock::new()).collect(),
            demands,
        }
    }

    /// A region that nothing is known of, not even whether it exists.
    pub(super) fn unread(name: Region, failure: Option<Failure>, demands: Arc<Demands>) -> Self {
        Self {
            name,
            version: 0,
            taken_at: None,
            freshness: None,
            quotas: QuotaIndex::unread(),
            failure,
            capacity: Vec::new(),
            singles: (0..demands.len()).map(|_| OnceLock::new()).collect(),
            demands,
        }
    }

    /// Whether this is what `view` shows, judged for the same catalog.
    pub(super) fn shows(&self, view: &RegionView, demands: &Arc<Demands>) -> bool {
        let freshness = view.known.as_ref().map(|known| known.standing.freshness);
        self.version == view.version
            && self.freshness == freshness
            && Arc::ptr_eq(&self.demands, demands)
    }

    /// What the cloud says it has room for, which is advice beside the verdict.
    pub(super) fn capacity(&self, instance_type: &str, market: Market) -> Option<&Capacity> {
        let wanted = (instance_type, market);
        let found = self
            .capacity
            .binary_search_by(|known| key(known).cmp(&wanted));
        Some(&self.capacity[found.ok()?])
    }

    /// The verdict on `count` instances of a catalog's demand.
    pub(super) fn judged(&self, demand: u32, count: u32) -> Arc<Judged> {
        let judge = || Arc::new(self.judge(self.demands.get(demand), count));
        match count {
            1 => Arc::clone(self.singles[demand as usize].get_or_init(judge)),
            _ => judge(),
        }
    }

    /// The verdict on `count` instances of any demand.
    pub(super) fn judge(&self, demand: &Demand, count: u32) -> Judged {
        let verdict = judge(demand, count, &self.quotas);
        let mut reason = reason(&verdict, demand, &self.quotas, &self.name);
        let unread = matches!(
            verdict.outcome,
            Outcome::Unknown(Doubt::Unread | Doubt::Expired)
        );
        if let (true, Some(failure)) = (unread, &self.failure) {
            reason.push_str(&format!(": {failure}"));
        }
        Judged { verdict, reason }
    }
}

fn key(capacity: &Capacity) -> (&str, Market) {
    (&capacity.instance_type, capacity.market)
}
