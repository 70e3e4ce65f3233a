//! A backend's catalog, demands and region quotas, put together once and shared by all requests
//! until one of them changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::catalog::{NameOf, Table};
use crate::model::{Failure, QuotaIndex, QuotaKey, Region};
use crate::oracle::backend_status::Status;

use super::demands::Demands;
use super::layout::Layout;
use super::region_verdicts::{Policy, RegionVerdicts};

/// The judged catalog of a backend, as it was last put together.
#[derive(Debug, Default)]
pub(in crate::oracle) struct JudgedCatalogs(pub(super) Mutex<Option<Latest>>);

#[derive(Debug)]
pub(super) struct Latest {
    pub(super) catalog: Arc<JudgedCatalog>,
    /// It holds as long as the backend's entries have changed no more often than this,
    pub(super) changes: u64,
    /// and until an answer changes by age alone, as time since the start.
    pub(super) until: SignedDuration,
}

/// The knowledge of a backend's offers at one moment.
#[derive(Debug)]
pub(in crate::oracle) struct JudgedCatalog {
    pub(super) layout: Arc<Layout>,
    pub(super) regions: BTreeMap<Region, Arc<RegionVerdicts>>,
    /// The same by their place in the catalog; nothing for those that the backend does not have.
    pub(super) in_table: Vec<Option<Arc<RegionVerdicts>>>,
    /// The demands of a region that nobody has named yet but that may turn out to be the backend's;
    /// nothing once all of its regions are known.
    pub(super) open: Option<Arc<Demands>>,
    pub(super) policy: Policy,
    pub(super) status: Status,
    pub(super) regions_unknown: Vec<Region>,
    pub(super) failure: Option<Failure>,
}

impl JudgedCatalog {
    /// Returns what the backend's cloud has to rent, in all of its regions.
    pub(super) fn table(&self) -> &Table {
        self.layout.table()
    }

    /// Returns the quotas that offers with accelerators draw on, in any region.
    pub(in crate::oracle) fn accelerator_quotas(&self) -> Arc<BTreeSet<QuotaKey>> {
        let mut of_regions = self.in_table.iter().flatten();
        let of_region =
            |region: &Arc<RegionVerdicts>| region.demands().accelerator_quotas().clone();
        let Some(first) = of_regions.next().map(of_region) else {
            return Arc::default();
        };
        // Mostly all regions share their demands.
        let others = of_regions.map(of_region);
        let others = others.filter(|other| !Arc::ptr_eq(other, &first));
        others.fold(Arc::clone(&first), |all, other| {
            Arc::new(all.union(&other).cloned().collect())
        })
    }

    /// Returns the GPU models of the offers that draw on each quota, in any region.
    pub(super) fn gpus_of_quotas(&self) -> BTreeMap<QuotaKey, BTreeSet<String>> {
        let mut all: BTreeMap<QuotaKey, BTreeSet<String>> = BTreeMap::new();
        let mut last = None;
        for region in self.in_table.iter().flatten() {
            // Mostly all regions share their demands.
            if last.is_some_and(|last| Arc::ptr_eq(last, region.demands())) {
                continue;
            }
            last = Some(region.demands());
            for (quota, gpus) in region.demands().gpus() {
                all.entry(quota.clone())
                    .or_default()
                    .extend(gpus.iter().cloned());
            }
        }
        all
    }

    /// Returns the region at a place of the catalog, if it is the backend's.
    pub(super) fn region_at(&self, place: usize) -> Option<&Arc<RegionVerdicts>> {
        self.in_table[place].as_ref()
    }

    /// Returns the regions that the backend reads and the catalog has no offers of.
    pub(super) fn regions_without_offers(&self) -> impl Iterator<Item = &Region> {
        let has_none = |region: &&Region| self.table().region_place(region.as_str()).is_none();
        self.regions.keys().filter(has_none)
    }

    /// Whether any offer of the backend's regions has this name, or a region without offers.
    pub(super) fn has_name(&self, of: NameOf, name: &str) -> bool {
        match of {
            NameOf::Region => {
                let is_named = |region: &Region| region.as_str().eq_ignore_ascii_case(name);
                self.region_in_table(name).is_some() || self.regions_without_offers().any(is_named)
            }
            of => self.table().has_name(of, name),
        }
    }

    /// Returns all names that offers have, of its regions those that are the backend's.
    pub(super) fn names(&self, of: NameOf) -> impl Iterator<Item = &Arc<str>> {
        let names = self.table().names(of).iter().enumerate();
        let is_ours = move |place: usize| of != NameOf::Region || self.in_table[place].is_some();
        names.filter_map(move |(place, name)| is_ours(place).then_some(name))
    }

    fn region_in_table(&self, name: &str) -> Option<&Arc<RegionVerdicts>> {
        self.region_at(self.table().region_place(name)?)
    }

    /// Returns the region of that name, if it is the backend's or may turn out to be.
    pub(super) fn region(&self, name: &str) -> Option<Arc<RegionVerdicts>> {
        // The catalog knows it in any case, as it does other names.
        let known = self.regions.get(name);
        if let Some(region) = known.or_else(|| self.region_in_table(name)) {
            return Some(Arc::clone(region));
        }
        let demands = Arc::clone(self.open.as_ref()?);
        let quotas = QuotaIndex::unread(Arc::default());
        let failure = self.failure.clone();
        let region = RegionVerdicts::unread(Region::from(name), failure, quotas, demands);
        Some(Arc::new(region))
    }
}
