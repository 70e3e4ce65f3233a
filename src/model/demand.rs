//! The quotas that launching an offer draws from, and how much of each.

use super::{Amount, QuotaKey};

/// What one instance takes.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Demand {
    /// The quotas that are known to be drawn on.
    pub draws: Vec<Draw>,
    /// Why the quotas above are not all of them, if they are not: no verdict but `short` can then
    /// be known.
    pub unmapped: Option<String>,
}

/// What one instance takes of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Which quota.
    pub quota: QuotaKey,
    /// How much, in the quota's unit, if known.
    pub amount: Option<Amount>,
}
