//! How each backend is doing: for the overview, for readiness and for metrics.

use crate::model::{Failure, Location, Region};

use super::backend::BackendState;
use super::backend_status::{BackendStatus, Status};
use super::quotas::views;
use super::state::Oracle;

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
        self.0
            .backends
            .values()
            .map(|backend| status(backend))
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
                let entry = unit.entry();
                if entry.is_untried() {
                    readiness.waiting.push(status(None));
                } else if entry.taken_at().is_none() {
                    let failure = entry.last_failure.as_ref();
                    readiness
                        .failed
                        .push(status(failure.map(|last| last.failure.clone())));
                }
            }
        }
        readiness
    }
}

/// Returns how a backend is doing.
pub(super) fn status(backend: &BackendState) -> BackendStatus {
    let regions = views(backend);
    let status = match regions.iter().filter(|view| view.is_usable()).count() {
        0 => Status::Unavailable,
        count if count == regions.len() => Status::Ok,
        _ => Status::Partial,
    };
    BackendStatus {
        name: backend.backend.name.clone(),
        kind: backend.backend.kind.clone(),
        account: regions.iter().find_map(|view| view.account().cloned()),
        status,
        regions,
    }
}
