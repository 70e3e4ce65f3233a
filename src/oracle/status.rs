//! How each backend is doing: for the overview, for readiness and for metrics.

use crate::model::{Failure, Freshness, Location, Moment, Region};

use super::backend::BackendState;
use super::backend_status::{BackendStatus, RegionState, Status};
use super::quotas::views;
use super::state::Oracle;
use super::unit::UnitState;
use super::view::RegionView;

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
    /// Whether any of them has answered, if there are any.
    pub has_answer: bool,
}

impl Readiness {
    /// Whether everything that is read at start was tried, and some of it has answered.
    pub fn is_ready(&self) -> bool {
        self.waiting.is_empty() && self.has_answer
    }
}

/// The store that replicas share, as this one sees it.
#[derive(Clone, Debug)]
pub struct SharedStoreStatus {
    /// Since when it is away, and why; nothing while it answers.
    pub away: Option<(Moment, String)>,
    /// How many replicas there are.
    pub replicas: u32,
    /// How many commands have gone to it and back.
    pub round_trips: u64,
}

impl Oracle {
    /// Returns how the store is doing that replicas share, if there is one.
    pub fn shared_store(&self) -> Option<SharedStoreStatus> {
        let status = self.0.sharing.as_ref()?.status();
        Some(SharedStoreStatus {
            away: status.state().away,
            replicas: status.replicas(),
            round_trips: status.round_trips(),
        })
    }

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
            has_answer: false,
        };
        let mut has_units = false;
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
                has_units = true;
                readiness.has_answer |= entry.taken_at().is_some();
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
        readiness.has_answer |= !has_units;
        readiness
    }
}

/// Returns how a backend is doing.
pub(super) fn status(backend: &BackendState) -> BackendStatus {
    let regions = views(backend);
    let mut states: Vec<_> = regions.iter().map(|view| state(backend, view)).collect();
    let unlisted = backend.units().filter(|unit| unit.regions().is_empty());
    states.extend(unlisted.map(|unit| unread_state(backend, unit)));
    let overdue = regions.iter().any(|view| is_overdue(backend, view));
    let lacks_limits = backend.units().any(|unit| {
        let entry = unit.entry();
        let good = entry.last_good.as_ref();
        good.is_some_and(|good| good.reading.lacks_limits)
    });
    let status = match Status::of(&states, overdue) {
        Status::Ok | Status::Stale if lacks_limits => Status::Partial,
        status => status,
    };
    BackendStatus {
        name: backend.backend.name.clone(),
        kind: backend.backend.kind.clone(),
        account: regions.iter().find_map(|view| view.account().cloned()),
        status,
        regions,
        states,
    }
}

/// Returns how far a region can be read.
fn state(backend: &BackendState, view: &RegionView) -> RegionState {
    match view.freshness() {
        Some(Freshness::Fresh) => RegionState::Fresh,
        Some(Freshness::Stale) => RegionState::Stale,
        Some(Freshness::Expired) => RegionState::Expired,
        None if view.is_not_enabled() => RegionState::NotEnabled,
        None => unread_state(backend, view.unit()),
    }
}

/// Returns the state of a unit of which nothing is known.
fn unread_state(backend: &BackendState, unit: &UnitState) -> RegionState {
    let is_untried = unit.entry().is_untried();
    if !is_untried {
        RegionState::Failed
    } else if backend.preloads(unit) || unit.flights.is_reading() {
        RegionState::Reading
    } else {
        RegionState::Idle
    }
}

/// Whether a usable region should have been read since: its last read failed, or is due.
fn is_overdue(backend: &BackendState, view: &RegionView) -> bool {
    let Some(age) = view.age().filter(|age| age.freshness != Freshness::Expired) else {
        return false;
    };
    let unit = view.unit();
    let interval = backend.refresh_interval(unit, unit.now());
    let is_due = age.age > interval && age.freshness == Freshness::Stale;
    is_due || view.last_failure().is_some()
}
