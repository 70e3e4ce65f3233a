//! Whether a launch fits into the quotas, as far as that is known.
//!
//! This is the truth whatever the caller wants to hear; what a backend's strictness makes of it
//! is in `availability`, and the sentence that explains it in `reason`.

mod finding;
mod judge;
mod outlook;

use strum::{IntoStaticStr, VariantArray};

use super::quota_index::UnknownReason;
use super::{Amount, QuotaKey};

pub use judge::judge;
pub use outlook::Outlook;

/// Whether a number of instances fits, and what decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether they fit.
    pub outcome: Outcome,
    /// The numbers that it rests on; nothing if it is unknown.
    pub basis: Option<Basis>,
    /// How many such instances the room holds; with [`Basis::Limit`] at most so many; nothing if
    /// it is unknown.
    pub launchable: Option<u64>,
    /// The quota that leaves the fewest launches, or that made it unknown, if it is known which.
    pub binding: Option<Binding>,
}

/// Whether a launch fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Every demanded quota has room, as far as its usage is known.
    Fits,
    /// Some demanded quota certainly has not.
    Short(Shortfall),
    /// It cannot be said.
    Unknown(UnknownReason),
}

impl Outcome {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How far short a quota falls: each one implies those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortfall {
    /// The headroom is not enough.
    Headroom,
    /// The limit itself is not enough.
    Limit,
    /// The limit is zero.
    Zero,
}

/// The numbers that a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Basis {
    /// Limit and usage of everything that is demanded.
    Headroom,
    /// Limits, where some usage is unknown: the room is at most that.
    Limit,
}

impl Basis {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The quota that decided a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Which quota.
    pub quota: QuotaKey,
    /// The place of its row for [`QuotaIndex::row`](super::QuotaIndex::row), which tells its
    /// container too, if it has one.
    pub row: Option<usize>,
    /// How much all instances together take of it, if known.
    pub required: Option<Amount>,
}

#[cfg(test)]
mod tests;
