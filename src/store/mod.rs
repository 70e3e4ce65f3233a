//! Where snapshots and leases survive a restart: the trait of a store, and a directory of files.

mod directory;
mod fingerprint;
mod lease_journal;
mod settings;
pub mod shared_reading;
mod snapshot_format;
mod stored_snapshot;
mod unfinished;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use directory::DirectoryStore;
pub use fingerprint::{Fingerprint, Fingerprints};
pub use lease_journal::{LeaseJournal, StoredLease};
pub use settings::Settings;
pub use stored_snapshot::StoredSnapshot;

/// A place where snapshots survive a restart.
///
/// A service without one has no store at all and starts cold.
pub trait SnapshotStore: Send + Sync + fmt::Debug {
    /// Returns the stored snapshots of the configured backends.
    ///
    /// Snapshots of another account, and unreadable ones, are logged and left out. It blocks on
    /// the disk, on all cores: it is called once, before serving.
    fn load(&self) -> Vec<StoredSnapshot>;

    /// Queues a snapshot, which replaces an older one of the same unit; never blocks.
    fn write(&self, snapshot: StoredSnapshot);

    /// Waits until everything queued so far is stored, or could not be.
    fn flush(&self) -> BoxFuture<'_, ()>;

    /// Returns where leases survive a restart too, if they do.
    fn lease_journal(&self) -> Option<Arc<LeaseJournal>> {
        None
    }
}
