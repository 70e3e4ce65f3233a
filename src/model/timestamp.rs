//! A point in time, twice: as people write it and as a duration can be measured from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When something happened.
///
/// Ages come from the monotonic half, so that a step of the system clock neither ages nor renews
/// an answer; the wall half is only shown and stored.
///
/// A moment that was read from a store is older than anything until its age is restored
/// ([`Reading::map_moments`](super::Reading::map_moments)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Timestamp", into = "Timestamp")]
pub struct Moment {
    /// The time of day, for people and files.
    pub wall: Timestamp,
    /// The time since the process started; negative for what an earlier process did.
    pub since_start: SignedDuration,
}

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        moment.wall
    }
}

impl From<Timestamp> for Moment {
    fn from(wall: Timestamp) -> Self {
        Self {
            wall,
            since_start: SignedDuration::MIN,
        }
    }
}

impl Moment {
    /// How long before `now` this was; zero if it was not.
    pub fn age(&self, now: Moment) -> Duration {
        now.since_start
            .saturating_sub(self.since_start)
            .try_into()
            .unwrap_or(Duration::ZERO)
    }

    /// Whether it was earlier than the other one.
    pub fn is_before(&self, other: Moment) -> bool {
        self.since_start < other.since_start
    }

    /// The moment `later` after this one.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        let later = SignedDuration::try_from(later).unwrap_or(SignedDuration::MAX);
        Self {
            wall: self.wall.saturating_add(later).unwrap_or(Timestamp::MAX),
            since_start: self.since_start.saturating_add(later),
        }
    }

    /// The moment `earlier` before this one.
    #[must_use]
    pub fn minus(self, earlier: Duration) -> Self {
        let earlier = SignedDuration::try_from(earlier).unwrap_or(SignedDuration::MAX);
        Self {
            wall: self.wall.saturating_sub(earlier).unwrap_or(Timestamp::MIN),
            since_start: self.since_start.saturating_sub(earlier),
        }
    }

    /// How long after `now` this will be; zero if it has passed.
    pub fn until(&self, now: Moment) -> Duration {
        now.age(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_wall_clock_neither_ages_nor_renews() {
        let moment = |wall: &str, seconds| Moment {
            wall: wall.parse().unwrap(),
            since_start: SignedDuration::from_secs(seconds),
        };
        let read = moment("2026-11-21T19:00:00Z", 100);
        for set_to in ["2026-11-21T18:00:00Z", "2026-11-21T20:00:00Z"] {
            let now = moment(set_to, 130);
            assert_eq!(read.age(now), Duration::from_secs(30));
            assert_eq!(now.until(read), Duration::from_secs(30));
        }
    }
}
