//! Questions about the quotas of one region.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::model::{
    AccountId, BackendName, CloudKind, Failure, FailureKind, FailureRecord, Freshness, Leased,
    Location, Moment, Reading, Region, Snapshot,
};
use crate::source::Priority;
use crate::store::{Entry, Good};
use crate::telemetry::Cause;

use super::backend::{BackendState, Unit};
use super::fetch::Flight;
use super::{Inner, Oracle};

/// What is known of one region, and how far it may be relied on.
#[derive(Clone, Debug)]
pub struct RegionView {
    /// Which region.
    pub location: Location,
    /// Which cloud.
    pub kind: CloudKind,
    /// Whose quotas, where the cloud told it.
    pub account: Option<AccountId>,
    /// The last good answer, if there ever was one.
    pub known: Option<Known>,
    /// Why the last read failed, if it did.
    pub last_failure: Option<FailureRecord>,
    /// What is held for launches under way; nothing yet.
    pub leased: Leased,
    /// Changes whenever anything above does that is read, but for the freshness and the age.
    pub version: u64,
}

/// A region's last good answer.
#[derive(Clone, Debug)]
pub struct Known {
    /// The quotas.
    pub snapshot: Arc<Snapshot>,
    /// What could not be read besides.
    pub gaps: Vec<Failure>,
    /// Everything that was read with them.
    pub(super) reading: Arc<Reading>,
    /// When they were read.
    pub taken_at: Moment,
    /// How far they may be relied on.
    pub standing: Standing,
}

/// What its age makes of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// How old it is now.
    pub age: Duration,
    /// What that makes of it.
    pub freshness: Freshness,
    /// How long a reading is fresh, by the settings.
    pub fresh_for: Duration,
}

/// As much of a region's last good answer as finds again what was rendered from it.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    /// That of [`RegionView`].
    pub version: u64,
    /// How far the answer may be relied on.
    pub standing: Standing,
}

/// Why a question about a region has no answer.
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
        /// What was asked for.
        asked: Location,
        /// The regions that the backend has.
        known: Vec<Region>,
    },
    /// Nothing is known yet, and this is why.
    Unread(Failure),
}

/// How soon a caller may ask again about a first read that takes longer than its deadline.
const READ_GOES_ON: Duration = Duration::from_secs(2);

impl Oracle {
    /// What is known of a region, read now if nothing is, or if it is older than `max_age`.
    pub async fn region(
        &self,
        backend: &str,
        region: &str,
        max_age: Option<Duration>,
        deadline: Instant,
    ) -> Result<RegionView, QuotaError> {
        let oracle = &*self.0;
        let connected = oracle.connected(backend)?;
        let unit = oracle.unit_of(connected, region)?;
        let asked = oracle.clock.now();
        unit.mark_requested(asked);

        let good = |entry: &Option<Arc<Entry>>| entry.as_ref().and_then(|e| e.good.clone());
        let mut entry = oracle.cache.get(&unit.key);
        // A second read is needed only when the first was under way before the question.
        for _ in 0..2 {
            let due = match (good(&entry), max_age) {
                (None, _) => true,
                (Some(good), Some(max_age)) => good.taken_at.age(asked) > max_age,
                (Some(_), None) => false,
            };
            if !due || oracle.backs_off(entry.as_deref()) {
                break;
            }
            let flight = oracle.read(connected, unit, Cause::Request, Priority::Request);
            if timeout_at(deadline, flight.outcome()).await.is_err() {
                return match oracle.view(connected, unit, region) {
                    view if view.known.is_some() => Ok(view),
                    _ => Err(QuotaError::Unread(still_reading())),
                };
            }
            entry = oracle.cache.get(&unit.key);
        }
        oracle.refresh_in_background(connected, unit, entry.as_deref());
        oracle.answer(connected, unit, region, entry.as_deref())
    }

    /// A region at a glance, if it is fresh: then the cloud need not be read, and nobody waits.
    ///
    /// It counts as a question, as [`Oracle::region`] does.
    pub fn glance(&self, backend: &str, region: &str) -> Option<Glance> {
        let oracle = &*self.0;
        let connected = oracle.backends.get(backend)?;
        let unit = connected.unit_of(region, &oracle.cache)?;
        let entry = oracle.cache.get(&unit.key)?;
        let good = entry.good.as_ref()?;
        let now = oracle.clock.now();
        let standing = oracle.standing(good, now);
        if standing.freshness != Freshness::Fresh {
            return None;
        }
        unit.mark_requested(now);
        Some(Glance {
            version: entry.version,
            standing,
        })
    }

    /// What is known of all regions of a backend, without asking the cloud.
    pub fn regions(&self, backend: &str) -> Result<Vec<RegionView>, QuotaError> {
        let oracle = &*self.0;
        let connected = oracle.connected(backend)?;
        let regions = connected.regions(&oracle.cache);
        Ok(regions
            .iter()
            .map(|(region, unit)| oracle.view(connected, unit, region.as_str()))
            .collect())
    }

    /// Somebody asks about all regions of a backend: what is no longer fresh is read anew, while
    /// they are answered with what is known.
    pub fn refresh_stale(&self, backend: &str) -> Result<(), QuotaError> {
        let oracle = &*self.0;
        let connected = oracle.connected(backend)?;
        let now = oracle.clock.now();
        for unit in connected.units() {
            unit.mark_requested(now);
            let entry = oracle.cache.get(&unit.key);
            oracle.refresh_in_background(connected, unit, entry.as_deref());
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
        let oracle = &*self.0;
        let connected = oracle.connected(backend)?;
        let mut units: Vec<&Unit> = match region {
            Some(region) => vec![oracle.unit_of(connected, region)?],
            None => connected.units().collect(),
        };
        let asked = oracle.clock.now();
        // A second read is needed only of those that were being read before the question.
        for _ in 0..2 {
            let read = |unit| oracle.read(connected, unit, Cause::Request, Priority::Request);
            let flights: Vec<(&Unit, Flight)> =
                units.drain(..).map(|unit| (unit, read(unit))).collect();
            for (unit, flight) in flights {
                let before = flight.started.is_before(asked);
                if timeout_at(deadline, flight.outcome()).await.is_ok() && before {
                    units.push(unit);
                }
            }
        }
        match region {
            Some(region) => {
                let unit = oracle.unit_of(connected, region)?;
                Ok(vec![oracle.view(connected, unit, region)])
            }
            None => self.regions(backend),
        }
    }
}

impl Inner {
    pub(super) fn connected(&self, backend: &str) -> Result<&Arc<BackendState>, QuotaError> {
        self.backends
            .get(backend)
            .ok_or_else(|| QuotaError::UnknownBackend {
                asked: backend.to_owned(),
                known: self.backends.keys().cloned().collect(),
            })
    }

    fn unit_of<'a>(
        &self,
        connected: &'a BackendState,
        region: &str,
    ) -> Result<&'a Unit, QuotaError> {
        connected
            .unit_of(region, &self.cache)
            .ok_or_else(|| self.unknown_region(connected, region))
    }

    fn unknown_region(&self, connected: &BackendState, region: &str) -> QuotaError {
        QuotaError::UnknownRegion {
            asked: Location {
                backend: connected.backend.name.clone(),
                region: Region::from(region),
            },
            known: connected.regions(&self.cache).into_keys().collect(),
        }
    }

    pub(super) fn read(
        &self,
        connected: &BackendState,
        unit: &Unit,
        cause: Cause,
        priority: Priority,
    ) -> Flight {
        self.fetcher
            .read(&unit.key, &connected.backend.source, cause, priority)
    }

    /// Whether the last failure asks to leave the cloud alone for now.
    pub(super) fn backs_off(&self, entry: Option<&Entry>) -> bool {
        entry
            .and_then(|entry| entry.last_failure.as_ref())
            .is_some_and(|failure| !failure.next_try.until(self.clock.now()).is_zero())
    }

    /// Reads anew what is no longer fresh, while the caller is answered with what is known.
    pub(super) fn refresh_in_background(
        &self,
        connected: &BackendState,
        unit: &Unit,
        entry: Option<&Entry>,
    ) {
        let Some(good) = entry.and_then(|entry| entry.good.as_ref()) else {
            return;
        };
        let age = good.taken_at.age(self.clock.now());
        if self.lifetimes.judge(age) != Freshness::Fresh && !self.backs_off(entry) {
            self.read(connected, unit, Cause::Refresh, Priority::Background);
        }
    }

    fn answer(
        &self,
        connected: &BackendState,
        unit: &Unit,
        region: &str,
        entry: Option<&Entry>,
    ) -> Result<RegionView, QuotaError> {
        let view = self.view_of(connected, unit, region, entry);
        match (&view.known, &view.last_failure) {
            (Some(_), _) => Ok(view),
            (None, Some(record)) => {
                let left = record.next_try.until(self.clock.now());
                Err(QuotaError::Unread(record.failure.clone().retry_after(left)))
            }
            // The unit was read and has no such region.
            (None, None) if entry.is_some() => Err(self.unknown_region(connected, region)),
            (None, None) => Err(QuotaError::Unread(still_reading())),
        }
    }

    pub(super) fn view(&self, connected: &BackendState, unit: &Unit, region: &str) -> RegionView {
        let entry = self.cache.get(&unit.key);
        self.view_of(connected, unit, region, entry.as_deref())
    }

    fn view_of(
        &self,
        connected: &BackendState,
        unit: &Unit,
        region: &str,
        entry: Option<&Entry>,
    ) -> RegionView {
        let good = entry.and_then(|entry| entry.good.as_ref());
        let location = Location {
            backend: connected.backend.name.clone(),
            region: Region::from(region),
        };
        RegionView {
            leased: self.leased(&location),
            location,
            kind: connected.backend.kind.clone(),
            account: good.and_then(|good| good.reading.account.clone()),
            known: good.and_then(|good| self.known(unit, region, good)),
            last_failure: entry.and_then(|entry| entry.last_failure.clone()),
            version: entry.map_or(0, |entry| entry.version),
        }
    }

    fn known(&self, unit: &Unit, region: &str, good: &Good) -> Option<Known> {
        let listed = unit.regions.iter().any(|known| known.as_str() == region);
        let snapshot = match good.reading.regions.get(region) {
            Some(snapshot) => Arc::clone(snapshot),
            // A region that the operator listed and the cloud has nothing to say about.
            None if listed => Arc::default(),
            None => return None,
        };
        Some(Known {
            snapshot,
            gaps: good.reading.gaps.clone(),
            reading: Arc::clone(&good.reading),
            taken_at: good.taken_at,
            standing: self.standing(good, self.clock.now()),
        })
    }

    fn standing(&self, good: &Good, now: Moment) -> Standing {
        let age = good.taken_at.age(now);
        Standing {
            age,
            freshness: self.lifetimes.judge(age),
            fresh_for: self.lifetimes.fresh_for,
        }
    }
}

fn still_reading() -> Failure {
    Failure::new(
        FailureKind::Timeout,
        "nothing is known yet and the first read takes longer than the request may; it goes on",
    )
    .retry_after(READ_GOES_ON)
}
