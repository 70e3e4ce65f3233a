//! The making of judged catalogs: when one has changed, and out of what it is put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::catalog::{Provider, Release};
use crate::model::{Failure, Freshness, Moment, QuotaIndex, Region, Snapshot};
use crate::oracle::backend::BackendState;
use crate::oracle::quotas::refresh_in_background;
use crate::oracle::state::OracleState;
use crate::oracle::status::status;
use crate::oracle::view::RegionView;
use crate::source::{DemandScope, Priority};
use crate::telemetry::Cause;

use super::demands::Demands;
use super::judged_catalog::{JudgedCatalog, Latest};
use super::region_verdicts::{Policy, RegionVerdicts};

/// Returns what is known of a backend's offers now, and its catalog as it stands.
pub(in crate::oracle) fn judged_catalog(
    oracle: &OracleState,
    backend: &BackendState,
) -> (Arc<JudgedCatalog>, Arc<Provider>) {
    let provider = oracle
        .catalog
        .provider(backend.backend.kind.as_str())
        .expect("the catalog covers the kinds of all backends, which `Oracle::new` checks");
    let release = &provider.release;
    let now = oracle.clock.now();
    // Looked at before the entries, so that a change in between is seen the next time.
    let changes = backend.changes();
    // Held while a changed catalog is put together, so that it is done once.
    let mut latest = backend.judged.0.lock();
    if let Some(latest) = &*latest
        && latest.changes == changes
        && now.since_start < latest.until
        && Arc::ptr_eq(latest.catalog.layout.release(), release)
    {
        return (Arc::clone(&latest.catalog), provider);
    }
    let before = latest.take().map(|latest| latest.catalog);
    let catalog = Arc::new(put_together(oracle, backend, release, before.as_deref()));
    let regions = catalog.regions.values();
    let next_change = regions.filter_map(|region| Some(region.next_change?.since_start));
    *latest = Some(Latest {
        catalog: Arc::clone(&catalog),
        changes,
        until: next_change.min().unwrap_or(SignedDuration::MAX),
    });
    drop(latest);
    (catalog, provider)
}

/// Notes that somebody asks about a region, and has it read if it is due, without waiting.
pub(super) fn request_in_background(backend: &BackendState, region: &RegionVerdicts, now: Moment) {
    let Some(unit) = backend.unit_of(region.name.as_str()) else {
        return;
    };
    unit.mark_requested(now);
    if region.freshness == Some(Freshness::Fresh) {
        return;
    }
    let entry = unit.entry();
    if entry.taken_at().is_some() {
        refresh_in_background(unit);
    } else if !entry.backs_off(now) {
        unit.read(Cause::Request, Priority::Background);
    }
}

/// Puts together what is known of a backend's offers; regions that have not changed stay.
fn put_together(
    oracle: &OracleState,
    backend: &BackendState,
    release: &Arc<Release>,
    before: Option<&JudgedCatalog>,
) -> JudgedCatalog {
    let source = &*backend.backend.source;
    let status = status(backend);
    let failure = failure(&status.regions, backend);
    let before_of = |region: &Region| before.and_then(|before| before.regions.get(region));
    let demands_of = |region: &Region, snapshot: &Snapshot| {
        let before = before_of(region).map(|region| region.demands());
        let kind = &backend.backend.kind;
        oracle.demands.of(kind, release, source, snapshot, before)
    };
    let mut demands = PerRegion::new(backend, demands_of);
    let mut regions_unknown: Vec<Region> = status.unknown_regions().cloned().collect();
    let mut regions: BTreeMap<Region, Arc<RegionVerdicts>> = BTreeMap::new();
    for view in &status.regions {
        let name = view.region();
        let rows = view.region_rows().map_or(&EMPTY, |rows| &**rows);
        let demands = demands.get(name, rows);
        let region = match before_of(name) {
            Some(same) if same.shows(view, &demands) => Arc::clone(same),
            _ => Arc::new(RegionVerdicts::new(view, demands)),
        };
        regions.insert(name.clone(), region);
    }
    let mut open = None;
    if backend.may_cover_any() {
        for name in release.table.regions() {
            regions.entry(name.clone()).or_insert_with(|| {
                regions_unknown.push(name.clone());
                let names = Arc::new(source.placeholder_quotas(name));
                Arc::new(RegionVerdicts::unread(
                    name.clone(),
                    failure.clone(),
                    QuotaIndex::unread(names),
                    demands.get(name, &EMPTY),
                ))
            });
        }
        regions_unknown.sort_unstable();
        open = Some(demands.get(&Region::from(""), &EMPTY));
    }
    let in_table = release.table.regions().iter();
    let in_table: Vec<_> = in_table.map(|name| regions.get(name).cloned()).collect();
    let in_regions = in_table.iter();
    let in_regions = in_regions.map(|region| Some(Arc::clone(region.as_ref()?.demands())));
    JudgedCatalog {
        layout: oracle.layouts.of(release, in_regions.collect()),
        regions,
        in_table,
        open,
        policy: Policy {
            strictness: backend.backend.settings.strictness,
            shadow: backend.backend.settings.shadow,
        },
        status: status.status,
        regions_unknown,
        failure,
    }
}

static EMPTY: Snapshot = Snapshot::EMPTY;

/// The demands of a backend's regions: asked for once where they are the same in all of them.
struct PerRegion<F> {
    same_everywhere: bool,
    of: F,
    known: Option<Arc<Demands>>,
}

impl<F: Fn(&Region, &Snapshot) -> Arc<Demands>> PerRegion<F> {
    fn new(backend: &BackendState, of: F) -> Self {
        let scope = backend.backend.source.demand_scope();
        Self {
            same_everywhere: scope != DemandScope::Snapshot,
            of,
            known: None,
        }
    }

    fn get(&mut self, region: &Region, rows: &Snapshot) -> Arc<Demands> {
        if let Some(known) = &self.known {
            return Arc::clone(known);
        }
        let demands = (self.of)(region, rows);
        if self.same_everywhere {
            self.known = Some(Arc::clone(&demands));
        }
        demands
    }
}

/// Returns why something of a backend is not known, if anything is not.
fn failure(regions: &[RegionView], backend: &BackendState) -> Option<Failure> {
    let unknown = regions.iter().filter(|view| !view.is_usable());
    let failing: Vec<_> = unknown
        .filter_map(|view| Some((view.region(), &view.last_failure()?.failure)))
        .collect();
    let of_units = backend.units().filter(|unit| unit.regions().is_empty());
    let of_units = of_units.filter_map(|unit| {
        let entry = unit.entry();
        let is_usable = entry.taken_at().is_some_and(|taken_at| {
            let age = taken_at.age(unit.now());
            unit.context.lifetimes.judge(age) != Freshness::Expired
        });
        let record = entry.last_failure.clone()?;
        (!is_usable).then_some(record.failure)
    });
    match &failing[..] {
        [] => of_units.into_iter().next(),
        [(_, only)] => Some((*only).clone()),
        [(region, first), others @ ..] => {
            let shared = first.without_name(region.as_str());
            let is_alike = |(region, failure): &(&Region, &Failure)| {
                failure.without_name(region.as_str()) == shared
            };
            Some(match others.iter().all(is_alike) {
                true => shared,
                false => (*first).clone(),
            })
        }
    }
}
