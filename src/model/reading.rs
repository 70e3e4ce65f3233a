//! The result of one read of a cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{AccountId, Capacity, Failure, Moment, Quota, Region, Restriction, Snapshot};

/// The answer to one read of a fetch unit.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Reading {
    /// The account that was read, where the cloud told it.
    pub account: Option<AccountId>,
    /// The quotas of each region.
    pub regions: BTreeMap<Region, Arc<Snapshot>>,
    /// What each region has room for now, where the cloud gives such advice.
    pub capacity: BTreeMap<Region, Vec<Capacity>>,
    /// Which types cannot be launched in a region though its quotas may have room.
    pub restrictions: BTreeMap<Region, Vec<Restriction>>,
    /// What could not be read besides, such as usage without the permission for it.
    pub gaps: Vec<Failure>,
    /// The parts that a transient failure left out.
    pub incomplete: Incomplete,
}

impl Reading {
    /// Replaces every moment of the reading by what `restore` makes of its wall time.
    ///
    /// Only the wall time is stored, so a reading that comes from a store has no ages before.
    pub fn restore_moments(&mut self, restore: impl Fn(Timestamp) -> Moment) {
        for snapshot in self.regions.values_mut() {
            let has_moments = |row: &Quota| row.observed_at.is_some();
            if snapshot.quotas().iter().any(has_moments) {
                Arc::make_mut(snapshot).restore_moments(&restore);
            }
        }
    }
}

/// The parts of a reading that a transient failure left out, so that the reading before may know better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incomplete {
    /// Some limits.
    pub limits: bool,
    /// Usage.
    pub usage: bool,
}
