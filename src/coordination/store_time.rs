//! The store's time, by which replicas with different clocks agree.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A time by the clock of the store, in microseconds since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct StoreTime(pub i64);

impl StoreTime {
    /// The time of day.
    pub fn wall(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX)
    }

    /// Returns the store's time at this time of day by the store's clock.
    pub fn of(wall: Timestamp) -> Self {
        Self(wall.as_microsecond())
    }

    /// Returns how long after `earlier` this is; negative if it is not.
    pub fn since(self, earlier: Self) -> SignedDuration {
        SignedDuration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Returns the time so much later.
    #[must_use]
    pub fn plus(self, later: SignedDuration) -> Self {
        let micros = i64::try_from(later.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}
