//! Snapshots in a directory: one file per fetch unit, replaced whole, so that a crash at any
//! moment leaves the old one or the new one.

mod file_name;
mod load;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Fingerprints, LeaseJournal, SnapshotStore, StoredSnapshot};

use writer::Writer;

/// A directory of snapshots.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    directory: PathBuf,
    fingerprints: Fingerprints,
    writer: Writer,
    leases: Arc<LeaseJournal>,
}

impl DirectoryStore {
    /// Opens the directory for these backends.
    ///
    /// An unusable directory is logged and costs the warm restart, not the service.
    pub fn open(directory: &Path, fingerprints: Fingerprints) -> Self {
        Self {
            directory: directory.to_owned(),
            writer: Writer::start(directory),
            leases: Arc::new(LeaseJournal::new(directory, fingerprints.clone())),
            fingerprints,
        }
    }
}

impl SnapshotStore for DirectoryStore {
    fn load(&self) -> Vec<StoredSnapshot> {
        let mut snapshots = load::load(&self.directory);
        snapshots.retain(|decoded| {
            let key = &decoded.snapshot.key;
            let configured = self.fingerprints.get(&key.backend);
            let is_same = configured.is_some_and(|ours| ours.matches(&decoded.fingerprint));
            if !is_same {
                tracing::info!(unit = %key, "ignoring a snapshot that may be of another account");
            }
            is_same
        });
        snapshots
            .into_iter()
            .map(|decoded| decoded.snapshot)
            .collect()
    }

    fn write(&self, snapshot: StoredSnapshot) {
        if let Some(fingerprint) = self.fingerprints.get(&snapshot.key.backend) {
            self.writer
                .write(snapshot, fingerprint.account().to_owned());
        }
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.writer.flush().boxed()
    }

    fn lease_journal(&self) -> Option<Arc<LeaseJournal>> {
        Some(Arc::clone(&self.leases))
    }
}

#[cfg(test)]
mod tests;
