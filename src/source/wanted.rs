//! The quotas that one read is to bring.

use std::collections::BTreeSet;

use crate::model::{QuotaKey, Region};

/// The quotas that one read is to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All quotas of the unit, and whatever else the cloud tells besides.
    All,
    /// These rows alone, with their usage; a verification asks so.
    Only(BTreeSet<QuotaRef>),
}

/// A quota in one of a unit's regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuotaRef {
    /// The region; any region that shows it names a global quota.
    pub region: Region,
    /// The quota.
    pub key: QuotaKey,
}

impl Wanted {
    /// Whether this row is wanted.
    pub fn includes(&self, region: &Region, key: &QuotaKey) -> bool {
        match self {
            Self::All => true,
            Self::Only(rows) => rows
                .iter()
                .any(|row| row.region == *region && row.key == *key),
        }
    }
}
