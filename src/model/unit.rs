//! Fetch units: how much of a cloud one read covers.

use std::fmt;

use super::location::name;
use super::{BackendName, Region};

name! {
    /// A fetch unit within its backend: a region's name on AWS, `tenant` on Nebius.
    UnitId
}

/// The part of a cloud that one read covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchUnit {
    /// Its name within the backend.
    pub id: UnitId,
    /// Its regions, as far as they are known before it is read.
    pub coverage: Coverage,
}

/// The regions that one read of a fetch unit covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// One region.
    Region(Region),
    /// These regions, as the operator listed them.
    Listed(Vec<Region>),
    /// The regions that the account turns out to have, known after the first read.
    Discovered,
}

impl Coverage {
    /// The regions that are known before the first read.
    pub fn known_regions(&self) -> &[Region] {
        match self {
            Self::Region(region) => std::slice::from_ref(region),
            Self::Listed(regions) => regions,
            Self::Discovered => &[],
        }
    }

    /// Whether reading the unit is what tells its regions.
    pub fn is_discovered(&self) -> bool {
        matches!(self, Self::Discovered)
    }
}

/// A fetch unit among all backends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKey {
    /// The backend.
    pub backend: BackendName,
    /// The unit within it.
    pub unit: UnitId,
}

impl fmt::Display for UnitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.backend, self.unit)
    }
}
