//! The leases of all replicas: changed by one at a time, and followed by all.

use futures_util::future::BoxFuture;

use super::{Away, StoreTime};

/// The leases of all replicas.
///
/// Each replica follows the ledger, judges by what it knows of it, and writes on condition that
/// nothing has changed meanwhile: so no two replicas grant the same room. All backends have one
/// ledger, since two of them may turn out to be one account.
pub trait LeaseStore: Send + Sync {
    /// Writes these entries, if the ledger is still at this version.
    fn write<'a>(
        &'a self,
        at: LedgerVersion,
        entries: &'a [LeaseEntry],
    ) -> BoxFuture<'a, Result<Written, Away>>;

    /// Returns what has changed since this version.
    fn changes(&self, since: LedgerVersion) -> BoxFuture<'_, Result<LedgerChanges, Away>>;
}

/// The version of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerVersion {
    /// When the ledger began; another one is another ledger, because the store came back empty.
    pub generation: StoreTime,
    /// Counts its changes.
    pub number: i64,
}

/// A lease as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseEntry {
    /// The lease's identity.
    pub id: String,
    /// When it may be forgotten.
    pub ends: StoreTime,
    /// The lease, in a form that is the callers' own; empty if it is forgotten.
    pub lease: String,
}

/// The changes of the ledger since a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerChanges {
    /// Its version now.
    pub version: LedgerVersion,
    /// Whether these are all its entries, and not only those that have changed.
    pub is_all: bool,
    /// The entries, in the order of their change.
    pub entries: Vec<LeaseEntry>,
}

/// The end of an attempt to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written, and the ledger at this version.
    Done(LedgerVersion),
    /// Others have written before: this is what has changed.
    Behind(LedgerChanges),
}
