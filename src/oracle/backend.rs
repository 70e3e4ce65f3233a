//! A connected backend: its cloud, its fetch units and the regions that they cover.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{BackendName, CloudKind, Moment, Region, UnitId, UnitKey};
use crate::source::QuotaSource;

use super::changes::Changes;
use super::feedback::Contradictions;
use super::offers::JudgedCatalogs;
use super::quota_metrics::BackendSeries;
use super::settings::{BackendSettings, Preload};
use super::unit::{UnitContext, UnitState};

/// A backend as it is handed to the oracle.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub name: BackendName,
    /// The cloud that it connects to.
    pub kind: CloudKind,
    /// How it is kept fresh and judged.
    pub settings: BackendSettings,
    /// The connected cloud.
    pub source: Arc<dyn QuotaSource>,
}

/// A backend with its fetch units.
#[derive(Debug)]
pub(super) struct BackendState {
    pub(super) backend: Backend,
    units: BTreeMap<UnitId, Arc<UnitState>>,
    by_region: BTreeMap<Region, Arc<UnitState>>,
    changes: Arc<Changes>,
    /// The catalog with the verdicts on its offers, as last put together.
    pub(super) judged: JudgedCatalogs,
    /// The series of its quotas in the metrics.
    pub(super) series: BackendSeries,
    /// The launches that ended otherwise than their verdict had it.
    pub(super) contradictions: Contradictions,
}

impl BackendState {
    pub(super) fn new(backend: Backend, context: &UnitContext) -> Self {
        let changes = Arc::new(Changes::new(&context.watcher));
        let mut units = BTreeMap::new();
        let mut by_region = BTreeMap::new();
        for fetch_unit in backend.source.units() {
            let id = fetch_unit.id.clone();
            let key = UnitKey {
                backend: backend.name.clone(),
                unit: id.clone(),
            };
            let unit = Arc::new(UnitState::new(
                key,
                backend.kind.clone(),
                fetch_unit,
                Arc::clone(&backend.source),
                context.clone(),
                Arc::clone(&changes),
            ));
            for region in unit.coverage.known_regions() {
                by_region.insert(region.clone(), Arc::clone(&unit));
            }
            units.insert(id, unit);
        }
        Self {
            backend,
            units,
            by_region,
            changes,
            judged: JudgedCatalogs::default(),
            series: BackendSeries::default(),
            contradictions: Contradictions::default(),
        }
    }

    /// Returns the fetch units.
    pub(super) fn units(&self) -> impl Iterator<Item = &Arc<UnitState>> {
        self.units.values()
    }

    /// Returns the unit of that name.
    pub(super) fn unit(&self, id: &UnitId) -> Option<&Arc<UnitState>> {
        self.units.get(id)
    }

    /// Returns the unit that covers `region`, as far as is known now.
    pub(super) fn unit_of(&self, region: &str) -> Option<&Arc<UnitState>> {
        let listed = self.by_region.get(region);
        listed.or_else(|| {
            // Before its first read a unit that discovers its regions may cover any.
            let mut units = self.units();
            units.find(|unit| unit.coverage.is_discovered() && unit.covers(region))
        })
    }

    /// Returns all regions that are configured or were found by reading, with their units.
    pub(super) fn regions(&self) -> BTreeMap<Region, &Arc<UnitState>> {
        let units = self.units();
        units
            .flat_map(|unit| unit.regions().into_iter().map(move |region| (region, unit)))
            .collect()
    }

    /// Whether a region that nobody has named may turn out to be the backend's.
    pub(super) fn may_cover_any(&self) -> bool {
        self.units().any(|unit| unit.may_cover_any())
    }

    /// Whether the unit is read at start.
    pub(super) fn preloads(&self, unit: &UnitState) -> bool {
        match &self.backend.settings.preload {
            Preload::All => true,
            Preload::None => false,
            Preload::Listed(regions) => {
                let known = unit.coverage.known_regions();
                unit.coverage.is_discovered() || known.iter().any(|region| regions.contains(region))
            }
        }
    }

    /// Returns how often a unit is read.
    pub(super) fn refresh_interval(&self, unit: &UnitState, now: Moment) -> Duration {
        let interval = self.backend.settings.refresh_every;
        if !unit.is_idle(now) {
            return interval;
        }
        // Half its usable life: still known to whoever asks next, for a fraction of the calls.
        interval.max(unit.context.lifetimes.stale_for / 2)
    }

    /// Returns how often an entry of the backend has changed. Whoever looks at this first and at
    /// the entries then has seen all that is in them as long as it stays the same.
    pub(super) fn changes(&self) -> u64 {
        self.changes.count()
    }
}
