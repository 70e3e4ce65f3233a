//! The thread that writes snapshots, so that no answer waits for a disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::model::UnitKey;
use crate::store::unfinished::UNFINISHED;
use crate::store::{StoredSnapshot, snapshot_format};

use super::file_name::{EXTENSION, file_name};

/// A handle to the writing thread, which ends when its last handle is dropped.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Write {
        snapshot: StoredSnapshot,
        fingerprint: String,
    },
    Flush(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread for this directory.
    pub(super) fn start(directory: &Path) -> Self {
        let (jobs, queue) = mpsc::channel();
        let thread = WriterThread::new(directory.to_owned());
        let spawned = thread::Builder::new()
            .name("snapshot-writer".to_owned())
            .spawn(move || thread.run(&queue));
        if let Err(error) = spawned {
            tracing::error!(%error, "snapshots are not written: no thread for it");
        }
        Self { jobs }
    }

    /// Queues a snapshot.
    pub(super) fn write(&self, snapshot: StoredSnapshot, fingerprint: String) {
        // It fails only without the thread, which was logged when it could not start.
        let _ = self.jobs.send(Job::Write {
            snapshot,
            fingerprint,
        });
    }

    /// Waits until everything queued so far was written, or could not be.
    pub(super) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).is_ok() {
            let _ = written.await;
        }
    }
}

struct WriterThread {
    directory: PathBuf,
    /// Whether the last write failed, so that a full disk is logged once and not every minute.
    failing: bool,
}

impl WriterThread {
    fn new(directory: PathBuf) -> Self {
        let mut writer = Self {
            directory,
            failing: false,
        };
        // Tried at the start and not at the first write: an operator looks at the log now.
        if let Err(error) = try_to_write(&writer.directory) {
            writer.log_failing(&error);
        }
        writer
    }

    fn run(mut self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            // Only the newest snapshot of a unit is worth a write.
            let mut newest = BTreeMap::new();
            let mut flushed = Vec::new();
            for job in std::iter::once(first).chain(queue.try_iter()) {
                match job {
                    Job::Write {
                        snapshot,
                        fingerprint,
                    } => {
                        newest.insert(snapshot.key.clone(), (snapshot, fingerprint));
                    }
                    Job::Flush(done) => flushed.push(done),
                }
            }
            for (key, (snapshot, fingerprint)) in newest {
                let result = write(&self.directory, &snapshot, &fingerprint);
                self.log(&key, result);
            }
            for done in flushed {
                let _ = done.send(());
            }
        }
    }

    fn log(&mut self, key: &UnitKey, result: io::Result<()>) {
        match result {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!(directory = %self.directory.display(), "snapshots are written again");
            }
            Ok(()) => tracing::debug!(unit = %key, "snapshot written"),
            Err(error) if !self.failing => self.log_failing(&error),
            Err(error) => tracing::debug!(unit = %key, %error, "snapshot not written"),
        }
    }

    fn log_failing(&mut self, error: &io::Error) {
        self.failing = true;
        tracing::warn!(
            directory = %self.directory.display(), %error,
            "cannot write snapshots; carrying on from memory, the next restart will be cold"
        );
    }
}

fn try_to_write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(directory)
        .map(drop)
}

fn write(directory: &Path, snapshot: &StoredSnapshot, fingerprint: &str) -> io::Result<()> {
    let key = &snapshot.key;
    let folder = directory.join(file_name(key.backend.as_str()));
    fs::create_dir_all(&folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(&folder)?;
    file.write_all(&snapshot_format::encode(snapshot, fingerprint)?)?;
    // The content must be on disk before the name points at it, and the name before the write
    // counts as done.
    file.as_file().sync_all()?;
    let name = format!("{}.{EXTENSION}", file_name(key.unit.as_str()));
    file.persist(folder.join(name))?;
    fs::File::open(&folder)?.sync_all()
}
