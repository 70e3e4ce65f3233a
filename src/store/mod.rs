//! Where snapshots survive a restart: the trait of a store, and a directory of files.

mod directory;
mod fingerprint;
mod settings;
mod snapshot_format;
mod stored_snapshot;

use std::fmt;

use futures_util::future::BoxFuture;

pub use directory::DirectoryStore;
pub use fingerprint::{Fingerprint, Fingerprints};
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
}
