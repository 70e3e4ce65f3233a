//! What time it is, in one place, so that tests can pause and move it.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::model::Moment;

/// Tells the time on tokio's clock and on the wall.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Wall,
}

#[derive(Clone, Copy, Debug)]
enum Wall {
    /// The system's clock, which people and other machines may set.
    System,
    /// A wall that moves with tokio's clock, from this time on.
    From(Timestamp),
}

impl Clock {
    /// The clock that a service runs by.
    pub fn system() -> Self {
        Self {
            started: Instant::now(),
            wall: Wall::System,
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
            Wall::System => Timestamp::now(),
            Wall::From(start) => start.saturating_add(since_start).unwrap_or(Timestamp::MAX),
        };
        Moment { wall, since_start }
    }

    /// The moment at which the wall showed `wall`, as far as today's wall can be trusted.
    ///
    /// What an earlier process wrote down comes back through here: its age is counted from its
    /// time of day once, and from then on by the monotonic clock.
    pub fn recall(&self, wall: Timestamp) -> Moment {
        let now = self.now();
        Moment {
            wall,
            since_start: now
                .since_start
                .saturating_sub(now.wall.duration_since(wall)),
        }
    }

    /// The instant of tokio's clock at that moment, for sleeping until it.
    pub fn instant(&self, moment: Moment) -> Instant {
        match std::time::Duration::try_from(moment.since_start) {
            Ok(after) => self.started + after,
            Err(_) => self.started,
        }
    }
}
