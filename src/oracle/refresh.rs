//! Keeping answers fresh: one task per fetch unit, which reads it when it is due.
//!
//! The tasks use the same coalesced reads as callers do, so that foreground and background never
//! double the load; after every wake-up they look again, because a caller may have read the unit
//! in the meantime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::model::{Moment, Reading};
use crate::source::Priority;
use crate::telemetry::Cause;

use super::backend::BackendState;
use super::events;
use super::state::Oracle;
use super::supervise::supervise;
use super::unit::UnitState;

/// The first reads after a start are spread over this long: no burst of connections, and still
/// hardly later than the rate limit allows a region to be read anyway.
const PRELOAD_SPREAD: Duration = Duration::from_secs(1);

/// A region that was overdue at a warm start is answered from the snapshot meanwhile, so there is
/// time.
const OVERDUE_SPREAD: Duration = Duration::from_secs(30);

/// A unit with something missing for now is not read again sooner than this, unless it always is.
const SOONEST_WITH_GAPS: Duration = Duration::from_secs(30);

/// So many units are read in the background at once: a read that waits for its rate holds some
/// hundred kilobytes, and all units of a hundred accounts are due at a cold start. Four accounts of
/// every AWS region are well within it; callers' own reads do not count.
const MOST_READS_AT_ONCE: usize = 512;

impl Oracle {
    /// Starts keeping every unit fresh; the tasks end when the set is dropped.
    pub fn keep_fresh(&self) -> JoinSet<()> {
        let places = Arc::new(Semaphore::new(MOST_READS_AT_ONCE));
        let backends = self.0.backends.values();
        let refreshers: Vec<_> = backends
            .flat_map(|backend| {
                backend.units().map(|unit| Refresher {
                    backend: Arc::clone(backend),
                    unit: Arc::clone(unit),
                    places: Arc::clone(&places),
                    started: unit.now(),
                    share: 0.0,
                })
            })
            .collect();
        let count = refreshers.len().max(1) as f64;
        let mut tasks = JoinSet::new();
        self.follow_replicas(&mut tasks);
        let oracle = self.clone();
        tasks.spawn(async move {
            supervise("telling of changes", || events::run(&oracle)).await;
        });
        for (place, refresher) in refreshers.into_iter().enumerate() {
            let refresher = Refresher {
                share: place as f64 / count,
                ..refresher
            };
            tasks.spawn(async move {
                let name = format!("keeping {} fresh", refresher.unit.key);
                supervise(&name, || refresher.run()).await;
            });
        }
        tasks
    }
}

/// Reads a unit whenever it is due.
struct Refresher {
    backend: Arc<BackendState>,
    unit: Arc<UnitState>,
    places: Arc<Semaphore>,
    started: Moment,
    /// The unit's place in the spread at start, in 0..1.
    share: f64,
}

impl Refresher {
    async fn run(&self) {
        let unit = &self.unit;
        if let Some(sharing) = &unit.context.sharing {
            // What others have read need not be read again.
            sharing.first_contact().await;
            let _ = sharing.take_up(unit).await;
        }
        let clock = &unit.context.clock;
        let mut read_before = false;
        let mut own_chance = rand::random();
        loop {
            let now = unit.now();
            let jitter = unit.board.common_chance(&unit.key);
            let jitter = jitter.unwrap_or(own_chance);
            // A request, or a read that somebody else has started, may make it due earlier.
            match self.due(now, jitter) {
                None => unit.wake.notified().await,
                Some(due) if !due.until(now).is_zero() => {
                    tokio::select! {
                        () = sleep_until(clock.instant(due)) => {}
                        () = unit.wake.notified() => {}
                    }
                }
                Some(_) => {
                    let place = self.places.acquire().await;
                    // Somebody may have read it while this waited for its place.
                    let still_due = self.due(unit.now(), jitter);
                    if still_due.is_none_or(|due| !due.until(unit.now()).is_zero()) {
                        continue;
                    }
                    let is_first = !read_before && unit.entry().is_untried();
                    let cause = if is_first {
                        Cause::Preload
                    } else {
                        Cause::Refresh
                    };
                    let flight = unit.read(cause, Priority::Background);
                    // A failure is already remembered, with the moment of the next try.
                    let _ = flight.outcome().await;
                    drop(place);
                    read_before = true;
                    own_chance = rand::random();
                }
            }
        }
    }

    /// Returns when the unit is to be read; nothing if not before somebody asks.
    fn due(&self, now: Moment, jitter: f64) -> Option<Moment> {
        let entry = self.unit.entry();
        if entry.is_untried() {
            let preloads = self.backend.preloads(&self.unit);
            return preloads.then(|| self.started.plus(PRELOAD_SPREAD.mul_f64(self.share)));
        }
        let due = match (&entry.last_failure, &entry.last_good) {
            (Some(failure), _) => failure.next_try,
            // Ahead of its time by a tenth or more, so that it is read before it goes stale, and by
            // different shares, so that units which were read together drift apart.
            (None, Some(good)) => {
                let after = self
                    .backend
                    .refresh_interval(&self.unit, now)
                    .mul_f64(0.7 + 0.2 * jitter);
                let taken_at = good.taken_at.unwrap_or(now);
                taken_at.plus(sooner_with_gaps(after, &good.reading))
            }
            (None, None) => now,
        };
        let overdue_at_start = due.is_before(self.started);
        Some(match overdue_at_start {
            true => self.started.plus(OVERDUE_SPREAD.mul_f64(self.share)),
            false => due,
        })
    }
}

/// Returns when a reading with something missing for now is repeated: after a fifth of the time,
/// soon, and still no burden for a cloud in trouble.
fn sooner_with_gaps(after: Duration, reading: &Reading) -> Duration {
    match reading.gaps.iter().any(|gap| gap.kind.is_transient()) {
        true => after.min(SOONEST_WITH_GAPS.max(after / 5)),
        false => after,
    }
}
