//! A connected backend: its cloud, its fetch units and which regions they cover.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;

use crate::model::{BackendName, CloudKind, FetchUnit, Moment, Region, UnitId, UnitKey};
use crate::source::QuotaSource;
use crate::store::Cache;

use super::BackendSettings;
use super::offers::KeptView;

/// A backend as it is handed to the oracle.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub name: BackendName,
    /// Which cloud it connects to.
    pub kind: CloudKind,
    /// How it is kept fresh and judged.
    pub settings: BackendSettings,
    /// The connected cloud.
    pub source: Arc<dyn QuotaSource>,
}

/// A backend with what the oracle notes about it.
#[derive(Debug)]
pub(super) struct BackendState {
    pub(super) backend: Backend,
    units: BTreeMap<UnitId, Unit>,
    by_region: BTreeMap<Region, UnitId>,
    /// What was last known of its offers.
    pub(super) offers: Mutex<Option<KeptView>>,
}

/// A fetch unit and when anybody last asked about it.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) key: UnitKey,
    pub(super) regions: Vec<Region>,
    asked: AtomicI64,
}

impl BackendState {
    pub(super) fn new(backend: Backend) -> Self {
        let mut units = BTreeMap::new();
        let mut by_region = BTreeMap::new();
        for FetchUnit { id, coverage } in backend.source.units() {
            let regions = coverage.known_regions().to_vec();
            for region in &regions {
                by_region.insert(region.clone(), id.clone());
            }
            let key = UnitKey {
                backend: backend.name.clone(),
                unit: id.clone(),
            };
            let unit = Unit {
                key,
                regions,
                asked: AtomicI64::new(0),
            };
            units.insert(id, unit);
        }
        Self {
            backend,
            units,
            by_region,
            offers: Mutex::default(),
        }
    }

    pub(super) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// The unit of that name.
    pub(super) fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.get(id)
    }

    /// The unit that covers `region`, as far as is known now.
    pub(super) fn unit_of(&self, region: &str, cache: &Cache) -> Option<&Unit> {
        if let Some(id) = self.by_region.get(region) {
            return self.units.get(id);
        }
        self.units()
            .filter(|unit| unit.discovers_regions())
            .find(|unit| {
                // Before its first read a unit that discovers its regions may cover any.
                match cache.get(&unit.key).and_then(|entry| entry.good.clone()) {
                    Some(good) => good.reading.regions.contains_key(region),
                    None => true,
                }
            })
    }

    /// All regions that are configured or were found by reading, with their units.
    pub(super) fn regions(&self, cache: &Cache) -> BTreeMap<Region, &Unit> {
        let mut regions = BTreeMap::new();
        for unit in self.units() {
            for region in &unit.regions {
                regions.insert(region.clone(), unit);
            }
            if unit.discovers_regions()
                && let Some(good) = cache.get(&unit.key).and_then(|entry| entry.good.clone())
            {
                for region in good.reading.regions.keys() {
                    regions.insert(region.clone(), unit);
                }
            }
        }
        regions
    }

    /// Whether a region that nobody has named may turn out to be the backend's.
    pub(super) fn may_cover_any(&self, cache: &Cache) -> bool {
        self.units()
            .filter(|unit| unit.discovers_regions())
            .any(|unit| {
                cache
                    .get(&unit.key)
                    .is_none_or(|entry| entry.good.is_none())
            })
    }

    /// Whether the unit is read at start.
    pub(super) fn preloads(&self, unit: &Unit) -> bool {
        match &self.backend.settings.preload {
            super::Preload::All => true,
            super::Preload::None => false,
            super::Preload::Listed(regions) => {
                unit.discovers_regions()
                    || unit.regions.iter().any(|region| regions.contains(region))
            }
        }
    }
}

impl Unit {
    /// Whether its regions are only known once it was read.
    fn discovers_regions(&self) -> bool {
        self.regions.is_empty()
    }

    /// Somebody asks about it.
    pub(super) fn mark_requested(&self, now: Moment) {
        let seconds = now.since_start.as_secs();
        self.asked.fetch_max(seconds, Ordering::Relaxed);
    }

    /// How long nobody has asked about it.
    pub(super) fn idle_for(&self, now: Moment) -> Duration {
        let asked = SignedDuration::from_secs(self.asked.load(Ordering::Relaxed));
        Duration::try_from(now.since_start - asked).unwrap_or_default()
    }
}
