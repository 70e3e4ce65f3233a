//! Questions about the quotas of one region.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::model::{
    BackendName, Failure, FailureKind, Freshness, Location, Moment, QuotaKey, Region,
};
use crate::source::{Priority, QuotaRef};
use crate::telemetry::Cause;

use super::backend::BackendState;
use super::flights::{Flight, WantedRows};
use super::state::{Oracle, OracleState};
use super::unit::UnitState;
use super::view::RegionView;

/// The reason why a question about a region has no answer.
#[derive(Clone, Debug)]
pub enum QuotaError {
    /// There is no such backend.
    UnknownBackend {
        /// The name that was asked for.
        asked: String,
        /// The names there are.
        known: Vec<BackendName>,
    },
    /// The backend has no such region.
    UnknownRegion {
        /// The location that was asked for.
        asked: Location,
        /// The regions that the backend has.
        known: Vec<Region>,
    },
    /// Nothing is known yet, and this is why.
    Unread(Failure),
}

/// The quotas of a region that a question is about; all if nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowFilter<'a> {
    /// Of these services; of any if empty.
    pub services: &'a [String],
    /// Of these codes; of any if empty.
    pub codes: &'a [String],
}

impl RowFilter<'_> {
    /// Whether the question is about this quota.
    pub fn matches(&self, key: &QuotaKey) -> bool {
        let is_one_of = |wanted: &[String], name: &str| {
            wanted.is_empty()
                || wanted
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        is_one_of(self.services, &key.service) && is_one_of(self.codes, &key.code)
    }
}

impl Oracle {
    /// Returns what is known of a region, read now if nothing is, or if it is older than `max_age`.
    ///
    /// Where `rows` names codes, only these rows are read to make them young enough.
    pub async fn region(
        &self,
        backend: &str,
        region: &str,
        max_age: Option<Duration>,
        rows: RowFilter<'_>,
        deadline: Instant,
    ) -> Result<RegionView, QuotaError> {
        let backend = self.0.backend(backend)?;
        let unit = unit_of(backend, region)?;
        let asked = unit.now();
        unit.mark_requested(asked);

        // A second read is needed only when the first was under way before the question.
        for _ in 0..2 {
            let Some(flight) = due_read(unit, region, max_age, rows, asked) else {
                break;
            };
            if timeout_at(deadline, flight.outcome()).await.is_err() {
                let view = view(unit, region);
                return match view.snapshot() {
                    Some(_) => Ok(view),
                    None => Err(QuotaError::Unread(still_reading())),
                };
            }
        }
        refresh_in_background(unit);
        answer(backend, unit, region)
    }

    /// Returns a region if it is fresh: then the cloud need not be read, and nobody waits.
    ///
    /// It counts as a question, as [`Oracle::region`] does.
    pub fn fresh_region(&self, backend: &str, region: &str) -> Option<RegionView> {
        let unit = self.0.backends.get(backend)?.unit_of(region)?;
        let view = view(unit, region);
        if view.freshness() != Some(Freshness::Fresh) {
            return None;
        }
        unit.mark_requested(view.now());
        Some(view)
    }

    /// Returns what is known of all regions of a backend, without asking the cloud.
    pub fn regions(&self, backend: &str) -> Result<Vec<RegionView>, QuotaError> {
        Ok(views(self.0.backend(backend)?))
    }

    /// Reads anew in the background what is no longer fresh of a backend: somebody asks about all
    /// of its regions, and is answered with what is known.
    pub fn refresh_stale(&self, backend: &str) -> Result<(), QuotaError> {
        for unit in self.0.backend(backend)?.units() {
            unit.mark_requested(unit.now());
            refresh_in_background(unit);
        }
        Ok(())
    }

    /// Reads a region, or all of a backend, now; the answer says how each went.
    pub async fn refresh(
        &self,
        backend: &str,
        region: Option<&str>,
        deadline: Instant,
    ) -> Result<Vec<RegionView>, QuotaError> {
        let backend = self.0.backend(backend)?;
        let mut units: Vec<&Arc<UnitState>> = match region {
            Some(region) => vec![unit_of(backend, region)?],
            None => backend.units().collect(),
        };
        let asked = self.0.clock.now();
        // A second read is needed only of those that were being read before the question.
        for _ in 0..2 {
            let read = |unit: &Arc<UnitState>| unit.read(Cause::Request, Priority::Request);
            let flights: Vec<_> = units.drain(..).map(|unit| (unit, read(unit))).collect();
            for (unit, flight) in flights {
                let before = flight.started.is_before(asked);
                if timeout_at(deadline, flight.outcome()).await.is_ok() && before {
                    units.push(unit);
                }
            }
        }
        match region {
            Some(region) => Ok(vec![view(unit_of(backend, region)?, region)]),
            None => Ok(views(backend)),
        }
    }
}

impl OracleState {
    pub(super) fn backend(&self, name: &str) -> Result<&Arc<BackendState>, QuotaError> {
        let found = self.backends.get(name);
        found.ok_or_else(|| QuotaError::UnknownBackend {
            asked: name.to_owned(),
            known: self.backends.keys().cloned().collect(),
        })
    }
}

/// Returns the view of a region of a unit as it is now.
pub(super) fn view(unit: &Arc<UnitState>, region: &str) -> RegionView {
    let mut known = unit.coverage.known_regions().iter();
    let known = known.find(|known| known.as_str() == region);
    let region = known.cloned().unwrap_or_else(|| Region::from(region));
    RegionView::new(Arc::clone(unit), region, unit.now())
}

/// Returns the views of all regions of a backend.
pub(super) fn views(backend: &BackendState) -> Vec<RegionView> {
    let regions = backend.regions().into_iter();
    regions
        .map(|(region, unit)| RegionView::new(Arc::clone(unit), region, unit.now()))
        .collect()
}

/// Reads anew what is no longer fresh, while the caller is answered with what is known.
pub(super) fn refresh_in_background(unit: &Arc<UnitState>) {
    let entry = unit.entry();
    let Some(taken_at) = entry.taken_at() else {
        return;
    };
    let now = unit.now();
    let is_fresh = unit.context.lifetimes.judge(taken_at.age(now)) == Freshness::Fresh;
    if !is_fresh && !entry.backs_off(now) {
        unit.read(Cause::Refresh, Priority::Background);
    }
}

/// Returns the read that a question has to wait for, started or joined; nothing if none is due.
fn due_read(
    unit: &Arc<UnitState>,
    region: &str,
    max_age: Option<Duration>,
    rows: RowFilter<'_>,
    asked: Moment,
) -> Option<Flight> {
    let entry = unit.entry();
    if entry.backs_off(unit.now()) {
        return None;
    }
    let full = || Some(unit.read(Cause::Request, Priority::Request));
    let Some(taken_at) = entry.taken_at() else {
        return full();
    };
    let max_age = max_age?;
    if rows.codes.is_empty() {
        return match taken_at.age(asked) > max_age {
            true => full(),
            false => None,
        };
    }
    let old = rows_to_read(unit, region, max_age, rows, asked);
    let wanted = WantedRows::whole(old, asked.minus(max_age));
    (!wanted.rows.is_empty()).then(|| unit.read_rows(wanted, Cause::Request, Priority::Request))
}

fn rows_to_read(
    unit: &UnitState,
    region: &str,
    max_age: Duration,
    rows: RowFilter<'_>,
    asked: Moment,
) -> BTreeSet<QuotaRef> {
    let region = Region::from(region);
    let entry = unit.entry();
    let known = entry.full_reading();
    let known = known.and_then(|reading| reading.regions.get(&region));
    let keys = known.into_iter().flat_map(|snapshot| snapshot.quotas());
    let keys = keys.map(|row| &row.key).filter(|key| rows.matches(key));
    unit.rows_older_than(&region, keys.cloned(), max_age, asked)
}

fn unit_of<'a>(backend: &'a BackendState, region: &str) -> Result<&'a Arc<UnitState>, QuotaError> {
    let unit = backend.unit_of(region);
    unit.ok_or_else(|| unknown_region(backend, region))
}

fn unknown_region(backend: &BackendState, region: &str) -> QuotaError {
    QuotaError::UnknownRegion {
        asked: Location {
            backend: backend.backend.name.clone(),
            region: Region::from(region),
        },
        known: backend.regions().into_keys().collect(),
    }
}

fn answer(
    backend: &BackendState,
    unit: &Arc<UnitState>,
    region: &str,
) -> Result<RegionView, QuotaError> {
    let view = view(unit, region);
    if view.snapshot().is_some() {
        return Ok(view);
    }
    match view.last_failure() {
        Some(record) => {
            let left = record.next_try.until(unit.now());
            Err(QuotaError::Unread(record.failure.clone().retry_after(left)))
        }
        None if unit.entry().is_untried() => Err(QuotaError::Unread(still_reading())),
        // The unit was read and has no such region.
        None => Err(unknown_region(backend, region)),
    }
}

/// How soon a caller may ask again about a first read that takes longer than its deadline.
const READ_GOES_ON: Duration = Duration::from_secs(2);

fn still_reading() -> Failure {
    Failure::new(
        FailureKind::Timeout,
        "nothing is known yet and the first read takes longer than the request may; it goes on",
    )
    .retry_after(READ_GOES_ON)
}
