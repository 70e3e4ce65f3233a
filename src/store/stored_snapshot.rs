//! A snapshot as a store keeps it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::model::{Moment, Reading, UnitKey};

/// The last good reading of a fetch unit, with times of day instead of moments of this process.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// The unit.
    pub key: UnitKey,
    /// The reading. Only the wall time of its moments is stored; [`StoredSnapshot::restore`] gives
    /// them their age back.
    pub reading: Arc<Reading>,
    /// The time of day at which the read started.
    pub taken_at: Timestamp,
}

impl StoredSnapshot {
    /// Returns the reading and when it was taken, with all ages as this process counts them.
    pub fn restore(self, clock: &Clock) -> (UnitKey, Arc<Reading>, Moment) {
        let mut reading = self.reading;
        Arc::make_mut(&mut reading).map_moments(|moment| clock.restore(moment.wall));
        (self.key, reading, clock.restore(self.taken_at))
    }
}
