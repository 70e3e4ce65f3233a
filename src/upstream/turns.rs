//! Turns of replicas that cannot share a rate.

use std::time::Duration;

use tokio::time::Instant;

/// The division of a rate among replicas that cannot share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Division {
    /// By so many.
    pub(super) replicas: u32,
    /// The place of this one among them, if it knows.
    pub(super) place: Option<u32>,
    /// The time now by a clock that all have in common.
    pub(super) time: Duration,
}

/// The turns that a replica takes with others by a common clock: a burst cannot be divided, so no
/// two may call at one time.
#[derive(Debug)]
pub(super) struct Turns {
    /// When one of this replica's turns begins.
    first: Instant,
    pub(super) period: Duration,
    /// A call may be sent for so long after a turn begins.
    lasts: Duration,
}

/// A turn of one replica is longer than the time between calls by a fourth: clocks differ a little,
/// timers are late, and calls are on their way for different times.
const TURN: f64 = 1.25;
/// The part of the time between calls in which a call may be sent.
const TURN_LASTS: f64 = 0.15;

impl Turns {
    pub(super) fn new(division: Division, interval: Duration, now: Instant, chance: f64) -> Self {
        let turn = interval.mul_f64(TURN);
        let period = turn.saturating_mul(division.replicas);
        let offset = match division.place {
            Some(place) => turn.saturating_mul(place),
            None => period.mul_f64(chance),
        };
        let position = remainder(division.time, period);
        let wait = remainder(offset + period - position, period);
        Self {
            first: now + wait,
            period,
            lasts: interval.mul_f64(TURN_LASTS),
        }
    }

    /// Returns the earliest moment of a turn that is not before `then`.
    pub(super) fn next(&self, then: Instant) -> Instant {
        if then <= self.first {
            return self.first;
        }
        let into = remainder(then - self.first, self.period);
        match into <= self.lasts {
            true => then,
            false => then + (self.period - into),
        }
    }
}

fn remainder(time: Duration, period: Duration) -> Duration {
    let nanos = time.as_nanos() % period.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
