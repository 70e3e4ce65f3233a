//! The quotas that one read is to bring.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::model::{Amount, QuotaKey, Region};

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

/// The amounts that one launch takes of some rows; without any, all that is known of them is needed.
pub type Need = BTreeMap<QuotaRef, Amount>;

/// The rows that launches wait for.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The rows, as [`Wanted::Only`].
    pub wanted: Wanted,
    /// The needs that they are read for.
    pub needs: BTreeSet<Need>,
    /// An answer to a call that was sent earlier is too old.
    pub since: Instant,
}

impl Verification {
    /// Whether all needs are known to be less than everything there is to know.
    pub fn may_be_decided_by_limits(&self) -> bool {
        !self.needs.is_empty() && self.needs.iter().all(|need| !need.is_empty())
    }

    /// Whether limits alone are too small for every launch, so that no usage changes anything.
    pub fn is_decided_by_limits(&self, limit: impl Fn(&QuotaRef) -> Option<Amount>) -> bool {
        let is_short = |need: &Need| {
            let mut amounts = need.iter();
            amounts.any(|(row, amount)| limit(row).is_some_and(|limit| limit < *amount))
        };
        !self.needs.is_empty() && self.needs.iter().all(is_short)
    }
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
