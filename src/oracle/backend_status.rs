//! How far a backend can be read.

use strum::{IntoStaticStr, VariantArray};

use crate::model::{AccountId, BackendName, CloudKind, Region};

use super::view::RegionView;

/// How far a backend can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// It is not read at start, and nobody has asked for it yet.
    Idle,
    /// Nothing is known of some region yet, and its first read is under way.
    Reading,
    /// All of its regions are known and were read in time.
    Ok,
    /// All of them are known, and the read of some is overdue or failed.
    Stale,
    /// Some of them, or some limits in all of them, cannot be read, or the account does not have
    /// them.
    Partial,
    /// None of them is usable.
    Unavailable,
}

/// How far a region, or a unit whose regions are not known yet, can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum RegionState {
    /// Neither read nor asked for.
    Idle,
    /// Its first read is under way, or about to begin.
    Reading,
    /// Read lately.
    Fresh,
    /// Not as young as it should be, and still usable.
    Stale,
    /// Too old to rest a verdict on.
    Expired,
    /// Never read, because every read has failed.
    Failed,
    /// The account does not have it.
    NotEnabled,
}

impl RegionState {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Status {
    /// The status of a backend with regions in these states, of which `overdue` tells whether any
    /// usable one should have been read since.
    pub(super) fn of(states: &[RegionState], overdue: bool) -> Self {
        use RegionState::{Expired, Failed, Fresh, NotEnabled, Reading, Stale};
        let has = |wanted: &[RegionState]| states.iter().any(|state| wanted.contains(state));
        let is_usable = has(&[Fresh, Stale]);
        let is_unreadable = has(&[Expired, Failed, NotEnabled]);
        match (is_usable, is_unreadable) {
            (true, true) => Self::Partial,
            (_, _) if has(&[Reading]) => Self::Reading,
            (true, false) if overdue => Self::Stale,
            (true, false) => Self::Ok,
            (false, true) => Self::Unavailable,
            (false, false) => Self::Idle,
        }
    }

    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A backend with its regions.
#[derive(Clone, Debug)]
pub struct BackendStatus {
    /// Its name.
    pub name: BackendName,
    /// Which cloud.
    pub kind: CloudKind,
    /// Whose quotas, where the cloud told it.
    pub account: Option<AccountId>,
    /// How far it can be read.
    pub status: Status,
    /// Its regions.
    pub regions: Vec<RegionView>,
    /// The states of the regions, and of units whose regions are not known yet.
    pub states: Vec<RegionState>,
}

impl BackendStatus {
    /// Those of its regions that no verdict can rest on.
    pub fn unknown_regions(&self) -> impl Iterator<Item = &Region> {
        let unknown = self.regions.iter().filter(|view| !view.is_usable());
        unknown.map(RegionView::region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RegionState::{Expired, Failed, Fresh, Idle, NotEnabled, Reading, Stale};

    #[test]
    fn the_status_follows_from_the_states_of_the_regions() {
        for (states, overdue, expected) in [
            (&[Idle, Idle][..], false, Status::Idle),
            (&[Idle, Reading], false, Status::Reading),
            (&[Failed, Reading], false, Status::Reading),
            (&[Fresh, Reading], false, Status::Reading),
            (&[Fresh, Idle], false, Status::Ok),
            (&[Fresh, Stale], false, Status::Ok),
            (&[Fresh, Stale], true, Status::Stale),
            (&[Fresh, NotEnabled], true, Status::Partial),
            (&[Stale, Expired], true, Status::Partial),
            (&[Fresh, Failed, Reading], false, Status::Partial),
            (&[Failed, Idle], false, Status::Unavailable),
            (&[Expired, NotEnabled], false, Status::Unavailable),
        ] {
            assert_eq!(Status::of(states, overdue), expected, "{states:?}");
        }
    }
}
