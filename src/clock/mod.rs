//! The clock, in one place, so that tests can pause and move it.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::model::Moment;

/// Tolerance for a corrected wall clock, which moves by seconds: a time that far in the future
/// counts as now.
const CORRECTION: SignedDuration = SignedDuration::from_mins(1);

/// The age of a time further in the future: this clock is wrong or the one that wrote it was, so
/// its real age is unknown and it must be too old for any use.
const UNTOLD_AGE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Tells the time on tokio's clock and on the wall.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Wall,
}

#[derive(Clone, Copy, Debug)]
enum Wall {
    /// The system wall clock, which can be adjusted while we run.
    Told(fn() -> Timestamp),
    /// A wall clock that moves with tokio's clock, from this time on.
    From(Timestamp),
}

impl Clock {
    /// The clock that a service runs by.
    pub fn system() -> Self {
        Self::told(Timestamp::now)
    }

    /// A clock whose wall shows what `wall` tells, for tests that set it.
    pub fn told(wall: fn() -> Timestamp) -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::Told(wall),
        }
    }

    /// A clock whose wall starts at `start` and moves with tokio's, for tests that pause it.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::From(start),
        }
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        let elapsed = self.started.elapsed();
        let since_start = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        let wall = match self.wall {
            Wall::Told(wall) => wall(),
            Wall::From(start) => start.saturating_add(since_start).unwrap_or(Timestamp::MAX),
        };
        Moment { wall, since_start }
    }

    /// Returns the moment at which the wall clock showed `wall`, as far as it can be trusted.
    ///
    /// Times that an earlier process stored are restored here: their age is taken from the wall
    /// clock once, and from then on from the monotonic clock.
    pub fn restore(&self, wall: Timestamp) -> Moment {
        let now = self.now();
        let age = match now.wall.duration_since(wall) {
            age if age < -CORRECTION => UNTOLD_AGE,
            age => age.max(SignedDuration::ZERO),
        };
        Moment {
            wall,
            since_start: now.since_start.saturating_sub(age),
        }
    }

    /// The instant of tokio's clock at that moment, for sleeping until it.
    pub fn instant(&self, moment: Moment) -> Instant {
        let after = std::time::Duration::try_from(moment.since_start).unwrap_or_default();
        // What is too far ahead for the machine to count is as good as never.
        let never = || self.started + UNTOLD_AGE.unsigned_abs();
        self.started.checked_add(after).unwrap_or_else(never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_restored_from_the_future_is_new_only_within_a_minute() {
        let now: Timestamp = "2026-11-21T19:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(now);
        let age = |wall: &str| {
            clock
                .restore(wall.parse().unwrap())
                .age(clock.now())
                .as_secs()
        };
        assert_eq!(age("2026-11-21T18:59:00Z"), 60);
        assert_eq!(age("2026-11-21T19:00:30Z"), 0);
        assert_eq!(
            age("2026-11-21T19:01:01Z"),
            UNTOLD_AGE.as_secs().unsigned_abs()
        );
        tokio::time::advance(std::time::Duration::from_secs(10)).await;
        assert_eq!(age("2026-11-21T19:00:00Z"), 10);
    }
}
