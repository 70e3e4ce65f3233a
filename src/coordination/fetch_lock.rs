//! The lock on reading a fetch unit: one replica reads, the others wait for what it brings.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Away, StoreTime};
use crate::model::UnitKey;

/// The lock on reading a fetch unit.
///
/// It has an owner and ends by itself, so that an owner that dies is replaced. Its token is higher
/// than that of every lock before, so that an owner that has lost it cannot overwrite what a later
/// one has posted.
pub trait FetchLock: Send + Sync {
    /// Takes the lock on a kind of reads of a unit, unless another replica has it.
    fn begin<'a>(&'a self, unit: &'a UnitKey, kind: ReadKind)
    -> BoxFuture<'a, Result<Begun, Away>>;

    /// Lets a lock live on; whether it is still the owner's.
    fn renew<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<bool, Away>>;

    /// Ends a lock, if it is still the owner's.
    fn end<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<(), Away>>;
}

/// The kinds of reads of a unit; one of each may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ReadKind {
    /// All quotas.
    Full,
    /// Some rows.
    Rows,
}

/// A lock that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLock {
    /// The unit.
    pub unit: UnitKey,
    /// The kind of read.
    pub kind: ReadKind,
    /// Higher than that of every lock before on the unit.
    pub token: i64,
}

/// The answer to whoever wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The lock is taken; the unit's board is at this version.
    Granted {
        /// The lock.
        lock: ReadLock,
        /// The version of the unit's board.
        version: i64,
    },
    /// Another replica reads.
    Held {
        /// When its lock ends unless it renews it.
        until: StoreTime,
        /// The version of the unit's board.
        version: i64,
    },
}

/// A lock ends so long after it was taken or renewed: an owner that dies holds the others up no
/// longer, and one whose process is stalled for a moment keeps it.
pub const LOCK_LIVES: Duration = Duration::from_secs(5);
