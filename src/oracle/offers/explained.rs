//! Explained verdicts, kept for the next caller who asks the same.
//!
//! A sentence takes longer than a verdict, and callers repeat their questions; but there are as many
//! of them as regions, demands and counts together, so only those asked for lately are kept.

use std::sync::Arc;

use crate::model::Demand;

use super::region_verdicts::{ExplainedVerdict, RegionVerdicts};

/// The explained verdicts that were asked for lately; clones share them.
#[derive(Clone, Debug)]
pub(in crate::oracle) struct ExplainedVerdicts(moka::sync::Cache<Key, Arc<ExplainedVerdict>>);

/// A question that an explained verdict answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// The region as it was judged at one moment.
    region: u64,
    demand: DemandKey,
    count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum DemandKey {
    /// By its number in the region's catalog.
    Catalog(u32),
    /// Of a caller's own offer.
    Custom(Demand),
}

/// At about half a kilobyte each, ten megabytes: more than the pages of many callers hold.
const MOST: u64 = 20_000;

impl Default for ExplainedVerdicts {
    fn default() -> Self {
        Self(moka::sync::Cache::new(MOST))
    }
}

impl ExplainedVerdicts {
    /// Returns the verdict on a demand of the region's catalog, by its number.
    pub(super) fn of_catalog(
        &self,
        region: &RegionVerdicts,
        demand: u32,
        count: u32,
    ) -> Arc<ExplainedVerdict> {
        let explain = || region.explain(region.demands().get(demand), count);
        self.get(region, DemandKey::Catalog(demand), count, explain)
    }

    /// Returns the verdict on a demand of a caller's own offer.
    pub(super) fn of_custom(
        &self,
        region: &RegionVerdicts,
        demand: &Demand,
        count: u32,
    ) -> Arc<ExplainedVerdict> {
        let explain = || region.explain(demand, count);
        // Callers can make up as many types that nothing is known of as they like.
        if demand.unmapped.is_some() {
            return Arc::new(explain());
        }
        self.get(region, DemandKey::Custom(demand.clone()), count, explain)
    }

    fn get(
        &self,
        region: &RegionVerdicts,
        demand: DemandKey,
        count: u32,
        explain: impl FnOnce() -> ExplainedVerdict,
    ) -> Arc<ExplainedVerdict> {
        let key = Key {
            region: region.id(),
            demand,
            count,
        };
        // Two callers may explain the same at once, which costs less than making one wait.
        self.0.get(&key).unwrap_or_else(|| {
            let explained = Arc::new(explain());
            self.0.insert(key, Arc::clone(&explained));
            explained
        })
    }
}
