//! Keeping answers fresh: one task per fetch unit, which reads it when it is due.
//!
//! The tasks use the same coalesced reads as callers do, so that foreground and background never
//! double the load; after every wake-up they look again, because a caller may have read the unit
//! in the meantime.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::model::{Moment, UnitId};
use crate::source::Priority;
use crate::store::Good;
use crate::telemetry::Cause;

use super::backend::{BackendState, Unit};
use super::supervise::supervise;
use super::{Inner, Oracle};

/// The first reads after a start are spread over this long: no burst of connections, and still
/// hardly later than the rate limit allows a region to be read anyway.
const PRELOAD_SPREAD: Duration = Duration::from_secs(1);

/// What was overdue at a warm start is answered from the snapshot meanwhile, so there is time.
const OVERDUE_SPREAD: Duration = Duration::from_secs(30);

/// A unit that nobody asked about for this long is read less often.
const IDLE_AFTER: Duration = Duration::from_secs(3600);

/// A unit with something missing for now is not read again sooner than this, unless it always is.
const SOONEST_WITH_GAPS: Duration = Duration::from_secs(30);

/// How often it is looked whether a unit has become due earlier than it was: one that is not read
/// at start, or idle, because it was asked about, any because a caller's read has left something
/// missing.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Oracle {
    /// Starts keeping every unit fresh; the tasks end when the set is dropped.
    pub fn keep_fresh(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let units: Vec<(Arc<BackendState>, UnitId)> = self
            .0
            .backends
            .values()
            .flat_map(|connected| {
                connected
                    .units()
                    .map(|unit| (Arc::clone(connected), unit.key.unit.clone()))
            })
            .collect();
        let count = units.len().max(1) as f64;
        for (place, (connected, unit)) in units.into_iter().enumerate() {
            let oracle = self.clone();
            let share = place as f64 / count;
            tasks.spawn(async move {
                if let Some(unit) = connected.unit(&unit) {
                    let (oracle, connected) = (&*oracle.0, &*connected);
                    let keep = || keep_unit_fresh(oracle, connected, unit, share);
                    supervise(&format!("keeping {} fresh", unit.key), keep).await;
                }
            });
        }
        tasks
    }
}

/// Reads a unit whenever it is due; `share` in 0..1 is its place in the spread at start.
async fn keep_unit_fresh(oracle: &Inner, connected: &BackendState, unit: &Unit, share: f64) {
    let started = oracle.clock.now();
    let mut read_before = false;
    let mut jitter = rand::random();
    loop {
        let now = oracle.clock.now();
        let look_again = oracle.clock.instant(now.plus(LOOK_AGAIN));
        match due(oracle, connected, unit, started, now, share, jitter) {
            Due::Unasked => sleep_until(look_again).await,
            Due::At(due) if !due.until(now).is_zero() => {
                sleep_until(oracle.clock.instant(due).min(look_again)).await;
            }
            Due::At(_) => {
                let known = oracle.cache.get(&unit.key).is_some();
                let cause = if read_before || known {
                    Cause::Refresh
                } else {
                    Cause::Preload
                };
                let flight = oracle.read(connected, unit, cause, Priority::Background);
                // A failure is already remembered, with the moment of the next try.
                let _ = flight.outcome().await;
                read_before = true;
                jitter = rand::random();
            }
        }
    }
}

enum Due {
    /// At this moment.
    At(Moment),
    /// Not before somebody asks.
    Unasked,
}

fn due(
    oracle: &Inner,
    connected: &BackendState,
    unit: &Unit,
    started: Moment,
    now: Moment,
    share: f64,
    jitter: f64,
) -> Due {
    let Some(entry) = oracle.cache.get(&unit.key) else {
        return match connected.preloads(unit) {
            true => Due::At(started.plus(PRELOAD_SPREAD.mul_f64(share))),
            false => Due::Unasked,
        };
    };
    let interval = interval(oracle, connected, unit, now);
    let due = match (&entry.last_failure, &entry.good) {
        (Some(failure), _) => failure.next_try,
        // Ahead of its time by a tenth or more, so that it is read before it goes stale, and by
        // different shares, so that units which were read together drift apart.
        (None, Some(good)) => {
            let after = interval.mul_f64(0.7 + 0.2 * jitter);
            good.taken_at.plus(sooner_with_gaps(after, good))
        }
        (None, None) => now,
    };
    let overdue_at_start = due.since_start < started.since_start;
    if overdue_at_start {
        return Due::At(started.plus(OVERDUE_SPREAD.mul_f64(share)));
    }
    Due::At(due)
}

fn interval(oracle: &Inner, connected: &BackendState, unit: &Unit, now: Moment) -> Duration {
    let interval = connected.backend.settings.refresh_every;
    if unit.idle_for(now) < IDLE_AFTER {
        return interval;
    }
    // Half its usable life: still known to whoever asks next, for a fraction of the calls.
    interval.max(oracle.lifetimes.stale_for / 2)
}

/// What was read with something missing for now is read again after a fifth of the time: soon, and
/// still no burden for a cloud in trouble.
fn sooner_with_gaps(after: Duration, good: &Good) -> Duration {
    match good.reading.gaps.iter().any(|gap| gap.kind.is_transient()) {
        true => after.min(SOONEST_WITH_GAPS.max(after / 5)),
        false => after,
    }
}
