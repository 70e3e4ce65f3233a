//! A backend's catalog, demands and region quotas, put together once and shared by all requests
//! until one of them changes.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use jiff::SignedDuration;

use crate::catalog::{NameOf, Provider, Release, Table};
use crate::model::{Failure, Freshness, Moment, Region, Snapshot, Strictness};
use crate::oracle::backend::{BackendState, Unit};
use crate::oracle::{Inner, Status};

use super::demands::Demands;
use super::region_verdicts::RegionVerdicts;

/// What is known of a backend's offers at one moment.
#[derive(Debug)]
pub(in crate::oracle) struct BackendView {
    release: Arc<Release>,
    marks: Vec<Mark>,
    pub(super) demands: Arc<Demands>,
    regions: BTreeMap<Region, Arc<RegionVerdicts>>,
    /// The same by their place in the catalog; nothing for those that the backend does not have.
    in_table: Vec<Option<Arc<RegionVerdicts>>>,
    /// Whether a region that nobody has named yet may turn out to be the backend's.
    is_open: bool,
    pub(super) strictness: Strictness,
    pub(super) shadow: bool,
    pub(super) status: Status,
    pub(super) regions_unknown: Vec<Region>,
    pub(super) failure: Option<Failure>,
}

/// The view that was put together last, and how long it need not be looked at anew.
#[derive(Debug)]
pub(in crate::oracle) struct KeptView {
    view: Arc<BackendView>,
    /// As long as the cache has changed no more often than this,
    changes: u64,
    /// and no answer is by age alone less fresh than it was, which is until this time.
    until: SignedDuration,
}

/// What is known of a fetch unit, as far as it changes what is said: version and freshness.
type Mark = Option<(u64, Option<Freshness>)>;

impl Inner {
    /// What is known of a backend's offers now, and its catalog as it stands.
    pub(super) fn offers_of(&self, connected: &BackendState) -> (Arc<BackendView>, Arc<Provider>) {
        let provider = self
            .catalog
            .provider(connected.backend.kind.as_str())
            .expect("the catalog covers the kinds of all backends, which `Oracle::new` checks");
        let release = &provider.release;
        let now = self.clock.now();
        // Looked at before the entries, so that a change in between is seen the next time.
        let changes = self.cache.changes();
        // Held while a changed view is put together, so that it is done once.
        let mut kept = connected
            .offers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*kept
            && kept.changes == changes
            && now.since_start < kept.until
            && Arc::ptr_eq(&kept.view.release, release)
        {
            return (Arc::clone(&kept.view), provider);
        }
        let before = kept.take().map(|kept| kept.view);
        let marks: Vec<Mark> = connected.units().map(|unit| self.mark(unit, now)).collect();
        let view = match before {
            Some(view) if view.marks == marks && Arc::ptr_eq(&view.release, release) => view,
            before => {
                let release = Arc::clone(release);
                let view = BackendView::new(self, connected, release, marks, before.as_deref());
                Arc::new(view)
            }
        };
        *kept = Some(KeptView {
            view: Arc::clone(&view),
            changes,
            until: self.unchanged_until(connected, now),
        });
        drop(kept);
        (view, provider)
    }

    /// Until when no answer of a backend gets less fresh, as time since the start.
    fn unchanged_until(&self, connected: &BackendState, now: Moment) -> SignedDuration {
        let changes_in = |unit: &Unit| {
            let entry = self.cache.get(&unit.key)?;
            let age = entry.good.as_ref()?.taken_at.age(now);
            self.lifetimes.changes_in(age)
        };
        let first = connected.units().filter_map(changes_in).min();
        first.map_or(SignedDuration::MAX, |left| now.plus(left).since_start)
    }

    fn mark(&self, unit: &Unit, now: Moment) -> Mark {
        let entry = self.cache.get(&unit.key)?;
        let good = entry.good.as_ref();
        let freshness = good.map(|good| self.lifetimes.judge(good.taken_at.age(now)));
        Some((entry.version, freshness))
    }
}

impl BackendView {
    fn new(
        oracle: &Inner,
        connected: &BackendState,
        release: Arc<Release>,
        marks: Vec<Mark>,
        before: Option<&Self>,
    ) -> Self {
        // What was read may have changed what a type draws on; mostly it has not.
        let source = &*connected.backend.source;
        let demands = Demands::new(&release.table, source);
        let demands = match before {
            Some(before) if *before.demands == demands => Arc::clone(&before.demands),
            _ => Arc::new(demands),
        };
        let failure = oracle.failure(connected);
        let status = oracle.status(connected);
        let mut regions_unknown: Vec<Region> = status.unknown_regions().cloned().collect();
        let mut regions: BTreeMap<Region, Arc<RegionVerdicts>> = BTreeMap::new();
        for view in status.regions {
            let name = view.location.region.clone();
            let same = before.and_then(|before| before.regions.get(&name));
            let region = match same {
                Some(same) if same.shows(&view, &demands) => Arc::clone(same),
                _ => Arc::new(RegionVerdicts::new(view, source, Arc::clone(&demands))),
            };
            regions.insert(name, region);
        }
        let is_open = connected.may_cover_any(&oracle.cache);
        if is_open {
            for name in release.table.regions() {
                regions.entry(name.clone()).or_insert_with(|| {
                    regions_unknown.push(name.clone());
                    let demands = Arc::clone(&demands);
                    let (failure, outline) = (failure.clone(), source.placeholder_quotas(name));
                    Arc::new(RegionVerdicts::unread(
                        name.clone(),
                        failure,
                        outline,
                        demands,
                    ))
                });
            }
            regions_unknown.sort_unstable();
        }
        let in_table = release.table.regions().iter();
        Self {
            in_table: in_table.map(|name| regions.get(name).cloned()).collect(),
            release,
            marks,
            demands,
            regions,
            is_open,
            strictness: connected.backend.settings.strictness,
            shadow: connected.backend.settings.shadow,
            status: status.status,
            regions_unknown,
            failure,
        }
    }

    /// What the backend's cloud has to rent, in all of its regions.
    pub(super) fn table(&self) -> &Table {
        &self.release.table
    }

    /// The region at a place of the catalog, if it is the backend's.
    pub(super) fn region_at(&self, place: usize) -> Option<&Arc<RegionVerdicts>> {
        self.in_table[place].as_ref()
    }

    /// Whether any offer of the backend's regions has this name.
    pub(super) fn has_name(&self, of: NameOf, name: &str) -> bool {
        match of {
            NameOf::Region => self.region_in_table(name).is_some(),
            of => self.table().has_name(of, name),
        }
    }

    /// All names that offers have, of its regions those that are the backend's.
    pub(super) fn names(&self, of: NameOf) -> impl Iterator<Item = &Arc<str>> {
        let names = self.table().names(of).iter().enumerate();
        let is_ours = move |place: usize| of != NameOf::Region || self.in_table[place].is_some();
        names.filter_map(move |(place, name)| is_ours(place).then_some(name))
    }

    fn region_in_table(&self, name: &str) -> Option<&Arc<RegionVerdicts>> {
        self.region_at(self.table().region_place(name)?)
    }

    /// The region of that name, if it is the backend's or may turn out to be.
    pub(super) fn region(&self, name: &str) -> Option<Arc<RegionVerdicts>> {
        // The catalog knows it in any case, as it does other names.
        let known = self.regions.get(name);
        match known.or_else(|| self.region_in_table(name)) {
            Some(region) => Some(Arc::clone(region)),
            None if self.is_open => {
                let (failure, demands) = (self.failure.clone(), Arc::clone(&self.demands));
                let (name, outline) = (Region::from(name), Snapshot::default());
                let region = RegionVerdicts::unread(name, failure, outline, demands);
                Some(Arc::new(region))
            }
            None => None,
        }
    }
}

impl Inner {
    /// Why something of a backend is not known, if anything is not.
    fn failure(&self, connected: &BackendState) -> Option<Failure> {
        let now = self.clock.now();
        connected.units().find_map(|unit| {
            if let Some((_, Some(Freshness::Fresh | Freshness::Stale))) = self.mark(unit, now) {
                return None;
            }
            let entry = self.cache.get(&unit.key)?;
            let record = entry.last_failure.as_ref()?;
            Some(record.failure.clone())
        })
    }
}
