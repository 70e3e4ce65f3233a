//! What one replica has learnt and all others want to know.

use futures_util::future::BoxFuture;
use tokio::sync::broadcast;

use super::{Away, LedgerChanges, LedgerVersion, ReadLock, StoreTime};
use crate::model::UnitKey;

/// What one replica has learnt and all others want to know: a board for each fetch unit, the failed
/// launches, and notices that tell of every change at once.
///
/// Notices may be lost; whoever follows looks at [`Bulletin::versions`] now and then.
pub trait Bulletin: Send + Sync {
    /// Posts on a unit's board; returns its versions before and after, and nothing if a later owner
    /// of the lock has posted. Without a lock, a full reading is posted only where there is none.
    fn post<'a>(
        &'a self,
        unit: &'a UnitKey,
        post: Post,
        lock: Option<&'a ReadLock>,
    ) -> BoxFuture<'a, Result<Option<(i64, i64)>, Away>>;

    /// Returns what was posted on a unit's board since this version.
    fn board<'a>(&'a self, unit: &'a UnitKey, since: i64) -> BoxFuture<'a, Result<Board, Away>>;

    /// Returns the versions of all boards.
    fn versions(&self) -> BoxFuture<'_, Result<Vec<(UnitKey, i64)>, Away>>;

    /// Posts how a launch ended, for all replicas, also those that start later.
    fn post_launch(&self, launch: String) -> BoxFuture<'_, Result<(), Away>>;

    /// Returns how launches ended of late, the oldest first.
    fn launches(&self) -> BoxFuture<'_, Result<Vec<String>, Away>>;

    /// Asks the replica that reads a unit to hurry; never waits.
    fn hurry(&self, unit: &UnitKey, priority: u8);

    /// Tells whoever waits that a read has ended without a post; never waits.
    fn tell_ended(&self, unit: &UnitKey);

    /// Returns the notices of other replicas from now on.
    fn notices(&self) -> broadcast::Receiver<Notice>;
}

/// A post on a unit's board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// A full reading that began at this time. It ends the failure, and the rows before it.
    Full(StoreTime, Vec<u8>),
    /// Some rows, read from this time on; a later post under the same name replaces them.
    Rows(StoreTime, String, Vec<u8>),
    /// The failure of a full read.
    Failure(Vec<u8>),
}

/// The posts on a unit's board since some version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// Its version now; 0 where nothing was ever posted.
    pub version: i64,
    /// The full reading, if it is new.
    pub full: Option<Posted>,
    /// The rows that are new, the oldest first.
    pub rows: Vec<Posted>,
    /// The failure, if it is new.
    pub failure: Option<Vec<u8>>,
}

/// A posted reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// When it began.
    pub started: StoreTime,
    /// The version of the board with it.
    pub version: i64,
    /// The reading.
    pub bytes: Vec<u8>,
}

/// A notice of another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A unit's board has a new version.
    Unit(UnitKey, i64),
    /// A launch has ended.
    Launch(String),
    /// Leases have changed, from one version to the next.
    Leases(LedgerVersion, LedgerChanges),
    /// A read of this unit has ended.
    Ended(UnitKey),
    /// Somebody waits for a read of this unit, this urgently.
    Hurry(UnitKey, u8),
}
