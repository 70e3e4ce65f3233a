//! The quotas of one region, ready to judge launches, and the verdicts that were given before.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::model::{
    Capacity, Demand, Failure, Freshness, Leased, Market, Moment, Outcome, QuotaIndex, Region,
    Snapshot, UnknownReason, Verdict, judge, reason,
};
use crate::oracle::RegionView;
use crate::source::QuotaSource;

use super::demands::Demands;

/// A region, judged as it is known at one moment.
#[derive(Debug)]
pub(super) struct RegionVerdicts {
    pub(super) name: Region,
    version: u64,
    pub(super) taken_at: Option<Moment>,
    pub(super) freshness: Option<Freshness>,
    pub(super) quotas: QuotaIndex,
    failure: Option<Failure>,
    /// What the cloud says it has room for, ordered by type and market.
    capacity: Vec<Capacity>,
    demands: Arc<Demands>,
    /// The verdicts on launches of so many instances, for the counts that were asked for last.
    verdicts: RwLock<Vec<Arc<Verdicts>>>,
}

/// The verdicts of a region on launches of so many instances, each judged when first asked for.
#[derive(Debug)]
pub(super) struct Verdicts {
    count: u32,
    /// On the demands of the catalog, by their numbers.
    of_catalog: Box<[OnceLock<Arc<ExplainedVerdict>>]>,
    /// On demands that callers have made up, with disks and addresses.
    of_others: RwLock<HashMap<Demand, Arc<ExplainedVerdict>>>,
}

/// Callers ask for one instance, and for few other counts at a time.
const MOST_COUNTS: usize = 8;

/// Callers' own offers differ from the catalog's in few ways at a time; a bound only so that
/// nobody fills the memory.
const MOST_OTHERS: usize = 256;

/// A verdict and the sentence that explains it.
#[derive(Debug)]
pub(super) struct ExplainedVerdict {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
}

impl RegionVerdicts {
    /// The region as `view` shows it, by what `source` knows of it before it is read.
    pub(super) fn new(view: RegionView, source: &dyn QuotaSource, demands: Arc<Demands>) -> Self {
        let leased: Leased = view.leased;
        let known = view.known.as_ref();
        let mut capacity = known
            .filter(|known| known.standing.freshness != Freshness::Expired)
            .and_then(|known| known.reading.capacity.get(&view.location.region))
            .cloned()
            .unwrap_or_default();
        capacity.sort_by(|a, b| key(a).cmp(&key(b)));
        let quotas = match known {
            None => QuotaIndex::unread(Arc::new(source.placeholder_quotas(&view.location.region))),
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
            demands,
            verdicts: RwLock::default(),
        }
    }

    /// A region that nothing is known of, not even whether it exists.
    pub(super) fn unread(
        name: Region,
        failure: Option<Failure>,
        outline: Snapshot,
        demands: Arc<Demands>,
    ) -> Self {
        Self {
            quotas: QuotaIndex::unread(Arc::new(outline)),
            name,
            version: 0,
            taken_at: None,
            freshness: None,
            failure,
            capacity: Vec::new(),
            demands,
            verdicts: RwLock::default(),
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

    /// What has been and will be said of launches of `count` instances.
    pub(super) fn verdicts(&self, count: u32) -> Arc<Verdicts> {
        let find = |kept: &[Arc<Verdicts>]| {
            let found = kept.iter().find(|verdicts| verdicts.count == count);
            found.cloned()
        };
        let kept = self.verdicts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&kept) {
            return found;
        }
        drop(kept);
        let mut kept = self
            .verdicts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        find(&kept).unwrap_or_else(|| {
            if kept.len() == MOST_COUNTS {
                // The oldest goes, but for what is asked for most, one instance.
                let oldest = kept.iter().position(|verdicts| verdicts.count != 1);
                kept.remove(oldest.unwrap_or_default());
            }
            let verdicts = Arc::new(Verdicts {
                count,
                of_catalog: (0..self.demands.len()).map(|_| OnceLock::new()).collect(),
                of_others: RwLock::default(),
            });
            kept.push(Arc::clone(&verdicts));
            verdicts
        })
    }

    /// The verdict on a demand of the catalog, by its number.
    pub(super) fn of_catalog<'v>(
        &self,
        verdicts: &'v Verdicts,
        demand: u32,
    ) -> &'v Arc<ExplainedVerdict> {
        let judge = || Arc::new(self.judge(self.demands.get(demand), verdicts.count));
        verdicts.of_catalog[demand as usize].get_or_init(judge)
    }

    /// The verdict on any demand.
    pub(super) fn of_other(&self, verdicts: &Verdicts, demand: Demand) -> Arc<ExplainedVerdict> {
        // There are as many types that nothing is known of as callers can make up names.
        if demand.unmapped.is_some() {
            return Arc::new(self.judge(&demand, verdicts.count));
        }
        let others = &verdicts.of_others;
        let kept = others.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(judged) = kept.get(&demand) {
            return Arc::clone(judged);
        }
        drop(kept);
        let judged = Arc::new(self.judge(&demand, verdicts.count));
        let mut kept = others.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST_OTHERS {
            kept.clear();
        }
        kept.insert(demand, Arc::clone(&judged));
        judged
    }

    fn judge(&self, demand: &Demand, count: u32) -> ExplainedVerdict {
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
