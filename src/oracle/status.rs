//! How each backend is doing: for the overview, for readiness and for metrics.

use std::sync::Arc;

use crate::model::{
    AccountId, BackendName, CloudKind, Failure, Freshness, Location, Quota, Region,
};
use crate::telemetry::{CatalogSample, QuotaSample, SnapshotSample};

use super::backend::BackendState;
use super::{Inner, Oracle, RegionView};

/// How far a backend can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All of its regions are known.
    Ok,
    /// Some of them are.
    Partial,
    /// None of them is.
    Unavailable,
}

impl Status {
    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A backend at a glance.
#[derive(Clone, Debug)]
pub struct BackendStatus {
    /// Its name.
    pub name: BackendName,
    /// Which cloud.
    pub kind: CloudKind,
    /// Whose quotas, where the cloud told it.
    pub account: Option<AccountId>,
    /// How far it can be read.
    pub status: Status,
    /// Its regions.
    pub regions: Vec<RegionView>,
}

impl BackendStatus {
    /// Those of its regions that no verdict can rest on.
    pub fn unknown_regions(&self) -> impl Iterator<Item = &Region> {
        let unknown = self.regions.iter().filter(|view| !view.is_usable());
        unknown.map(|view| &view.location.region)
    }
}

/// A region that is to be known before the service is ready.
#[derive(Clone, Debug)]
pub struct RegionStatus {
    /// Which region.
    pub location: Location,
    /// Why it is not known, once it was tried.
    pub failure: Option<Failure>,
}

/// Whether the first answers are there.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// The fetch units that are to be read at start and were neither read nor failed yet.
    pub waiting: Vec<RegionStatus>,
    /// Those that failed.
    pub failed: Vec<RegionStatus>,
}

impl Readiness {
    /// Whether everything that is read at start is in, or has failed.
    pub fn is_ready(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Oracle {
    /// All backends at a glance.
    pub fn backends(&self) -> Vec<BackendStatus> {
        let oracle = &*self.0;
        oracle
            .backends
            .values()
            .map(|backend| oracle.status(backend))
            .collect()
    }

    /// Whether the first answers are there.
    pub fn readiness(&self) -> Readiness {
        let oracle = &*self.0;
        let mut readiness = Readiness {
            waiting: Vec::new(),
            failed: Vec::new(),
        };
        for connected in oracle.backends.values() {
            for unit in connected.units().filter(|unit| connected.preloads(unit)) {
                let status = |failure| RegionStatus {
                    location: Location {
                        backend: connected.backend.name.clone(),
                        region: Region::from(unit.key.unit.as_str()),
                    },
                    failure,
                };
                match oracle.cache.get(&unit.key) {
                    None => readiness.waiting.push(status(None)),
                    Some(entry) if entry.good.is_none() => {
                        let failure = entry.last_failure.as_ref().map(|f| f.failure.clone());
                        readiness.failed.push(status(failure));
                    }
                    Some(_) => {}
                }
            }
        }
        readiness
    }

    /// The numbers of all quotas and the ages of all snapshots, as they are now.
    pub fn samples(&self) -> (Vec<QuotaSample>, Vec<SnapshotSample>) {
        let views = self.backends().into_iter().flat_map(|b| b.regions);
        let mut quotas = Vec::new();
        let mut snapshots = Vec::new();
        for view in views {
            let Some(known) = view.known else { continue };
            snapshots.push(SnapshotSample {
                location: view.location.clone(),
                age: known.standing.age,
            });
            let available = |row: &Quota| {
                let leased = view.leased.get(&row.key).copied().unwrap_or_default();
                row.available(leased)
            };
            // Where several containers limit a quota, the least room is what counts.
            let rows = known.snapshot.quotas().chunk_by(|a, b| a.key == b.key);
            quotas.extend(rows.filter_map(|rows| {
                let row = rows
                    .iter()
                    .min_by_key(|row| (available(row).is_none(), available(row)))?;
                Some(QuotaSample {
                    location: view.location.clone(),
                    code: Arc::clone(&row.key.code),
                    unit: row.unit.as_str(),
                    market: row.market.as_str(),
                    limit: row.limit.known().map(|a| a.get()),
                    usage: row.usage.known().map(|a| a.get()),
                    available: available(row).map(|a| a.get()),
                })
            }));
        }
        (quotas, snapshots)
    }
}

impl Oracle {
    /// The numbers of all catalogs.
    pub fn catalog_samples(&self) -> Vec<CatalogSample> {
        let catalogs = self.catalogs().into_iter();
        catalogs
            .map(|(provider, catalog)| CatalogSample {
                provider,
                offers: catalog.release.table.len(),
                damaged_rows: catalog.release.damaged_rows,
                loaded_at: catalog.release.loaded_at,
                failing: catalog.last_error.is_some(),
            })
            .collect()
    }
}

impl RegionView {
    /// Whether a verdict can rest on it.
    fn is_usable(&self) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.standing.freshness != Freshness::Expired)
    }
}

impl Inner {
    pub(super) fn status(&self, connected: &BackendState) -> BackendStatus {
        let regions: Vec<RegionView> = connected
            .regions(&self.cache)
            .into_iter()
            .map(|(region, unit)| self.view(connected, unit, region.as_str()))
            .collect();
        let status = match regions.iter().filter(|view| view.is_usable()).count() {
            0 => Status::Unavailable,
            count if count == regions.len() => Status::Ok,
            _ => Status::Partial,
        };
        BackendStatus {
            name: connected.backend.name.clone(),
            kind: connected.backend.kind.clone(),
            account: regions.iter().find_map(|view| view.account.clone()),
            status,
            regions,
        }
    }
}
