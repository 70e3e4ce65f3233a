//! Snapshots that survive a restart, and the entries of all fetch units in memory.
//!
//! One entry per fetch unit keeps two things apart: the last good answer, which nothing but a
//! newer good answer replaces, and the failures since, which a good answer clears. Nothing is
//! evicted for its age: how far an old answer may be relied on is arithmetic
//! ([`crate::model::Lifetimes`]), and an expired answer is still worth showing.

mod directory;
mod entry;
mod fingerprint;
mod settings;
mod snapshot_format;
mod stored_snapshot;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::model::{FailureRecord, Moment, Reading, UnitKey};

pub use directory::DirectoryStore;
pub use entry::{Entry, Good};
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

/// The answers of all backends; clones share them.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entries: moka::sync::Cache<UnitKey, Arc<Entry>>,
    versions: AtomicU64,
    changes: AtomicU64,
    store: Option<DirectoryStore>,
}

/// More fetch units than any operator has accounts times regions; a bound only so that a
/// programming error cannot fill the memory.
const MOST_UNITS: u64 = 100_000;

impl Cache {
    /// Creates a cache in memory only.
    pub fn in_memory() -> Self {
        Self::with_store(None)
    }

    /// Creates a cache that is also stored in `directory`, and starts with the snapshots there.
    ///
    /// Unreadable snapshots are logged and ignored: an unusable directory costs the warm restart,
    /// not the service.
    pub fn in_directory(directory: &Path, backends: Fingerprints, clock: &Clock) -> Self {
        let store = DirectoryStore::open(directory, backends);
        let known = store.load();
        let cache = Self::with_store(Some(store));
        for snapshot in known {
            let (key, reading, taken_at) = snapshot.restore(clock);
            cache.replace(key, Some(Good { reading, taken_at }), None);
        }
        cache
    }

    fn with_store(store: Option<DirectoryStore>) -> Self {
        Self(Arc::new(Inner {
            entries: moka::sync::Cache::new(MOST_UNITS),
            // What was never stored is of version 0.
            versions: AtomicU64::new(1),
            changes: AtomicU64::new(0),
            store,
        }))
    }

    /// What is known of a unit, if it was ever read or tried.
    pub fn get(&self, key: &UnitKey) -> Option<Arc<Entry>> {
        self.0.entries.get(key)
    }

    /// How often anything has changed. Who looks at this first and at the entries then, has seen
    /// all that is in them as long as it stays the same.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Keeps a good answer; the failures before it are forgotten.
    pub fn store_good(&self, key: &UnitKey, reading: Arc<Reading>, taken_at: Moment) {
        if let Some(store) = &self.0.store {
            store.write(StoredSnapshot {
                key: key.clone(),
                reading: Arc::clone(&reading),
                taken_at: taken_at.wall,
            });
        }
        self.replace(key.clone(), Some(Good { reading, taken_at }), None);
    }

    /// Remembers a failure beside the last good answer.
    pub fn store_failure(&self, key: &UnitKey, failure: FailureRecord) {
        let good = self.get(key).and_then(|entry| entry.good.clone());
        self.replace(key.clone(), good, Some(failure));
    }

    /// Waits until everything stored so far is on disk, or cannot be put there.
    pub async fn flush(&self) {
        if let Some(store) = &self.0.store {
            store.flush().await;
        }
    }

    // At most one read of a unit is under way, so its entry has one writer at a time.
    fn replace(&self, key: UnitKey, good: Option<Good>, last_failure: Option<FailureRecord>) {
        let version = self.0.versions.fetch_add(1, Ordering::Relaxed);
        let entry = Entry {
            good,
            last_failure,
            version,
        };
        self.0.entries.insert(key, Arc::new(entry));
        self.0.changes.fetch_add(1, Ordering::Release);
    }
}
