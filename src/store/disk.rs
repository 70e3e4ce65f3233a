//! Snapshots on disk: one file per fetch unit, replaced whole, so that a crash at any moment
//! leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::model::UnitKey;

use super::snapshot_format::{self, StoredSnapshot};

/// Starts the name of a file that is being written; one left behind by a crash is removed.
const UNFINISHED: &str = ".unfinished-";

/// Ends the name of a snapshot.
const EXTENSION: &str = "json";

/// The thread that writes snapshots, so that no answer waits for a disk.
#[derive(Debug)]
pub(super) struct Disk {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Write(StoredSnapshot),
    Flush(oneshot::Sender<()>),
}

impl Disk {
    /// A writer for this directory.
    pub(super) fn open(directory: &Path) -> Self {
        let (jobs, queue) = mpsc::channel();
        let writer = Writer::new(directory.to_owned());
        let spawned = thread::Builder::new()
            .name("snapshot-writer".to_owned())
            .spawn(move || writer.run(&queue));
        if let Err(error) = spawned {
            tracing::error!(%error, "snapshots are not written: no thread for it");
        }
        Self { jobs }
    }

    /// Writes a snapshot soon.
    pub(super) fn write(&self, snapshot: StoredSnapshot) {
        // Without the thread, which was said when it could not start, there is nothing to do.
        let _ = self.jobs.send(Job::Write(snapshot));
    }

    /// Waits until everything handed over so far was written, or could not be.
    pub(super) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).is_ok() {
            let _ = written.await;
        }
    }
}

struct Writer {
    directory: PathBuf,
    /// Whether the last write failed, so that a full disk is said once, not every minute.
    failing: bool,
}

impl Writer {
    fn new(directory: PathBuf) -> Self {
        let mut writer = Self {
            directory,
            failing: false,
        };
        // Said at the start and not at the first write: an operator looks at the log now.
        if let Err(error) = try_to_write(&writer.directory) {
            writer.say_failing(&error);
        }
        writer
    }

    fn run(mut self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            // Only the newest answer of a unit is worth a write.
            let mut newest = BTreeMap::new();
            let mut flushed = Vec::new();
            for job in std::iter::once(first).chain(queue.try_iter()) {
                match job {
                    Job::Write(snapshot) => {
                        newest.insert(snapshot.key.clone(), snapshot);
                    }
                    Job::Flush(done) => flushed.push(done),
                }
            }
            for (key, snapshot) in newest {
                let result = write(&self.directory, &snapshot);
                self.say(&key, result);
            }
            for done in flushed {
                let _ = done.send(());
            }
        }
    }

    fn say(&mut self, key: &UnitKey, result: io::Result<()>) {
        match result {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!(directory = %self.directory.display(), "snapshots are written again");
            }
            Ok(()) => tracing::debug!(unit = %key, "snapshot written"),
            Err(error) if !self.failing => self.say_failing(&error),
            Err(error) => tracing::debug!(unit = %key, %error, "snapshot not written"),
        }
    }

    fn say_failing(&mut self, error: &io::Error) {
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

fn write(directory: &Path, snapshot: &StoredSnapshot) -> io::Result<()> {
    let key = &snapshot.key;
    let folder = directory.join(file_name(key.backend.as_str()));
    fs::create_dir_all(&folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(&folder)?;
    file.write_all(&snapshot_format::encode(snapshot)?)?;
    // The content must be on disk before the name points at it, and the name before we say so.
    file.as_file().sync_all()?;
    let name = format!("{}.{EXTENSION}", file_name(key.unit.as_str()));
    file.persist(folder.join(name))?;
    fs::File::open(&folder)?.sync_all()
}

/// Reads all snapshots of a directory; what is damaged is said and left out.
pub(super) fn load(directory: &Path) -> Vec<StoredSnapshot> {
    let mut loaded = Vec::new();
    for folder in entries(directory) {
        if is_unfinished(&folder) {
            remove(&folder);
            continue;
        }
        for file in entries(&folder) {
            if is_unfinished(&file) {
                remove(&file);
            } else if file.extension().is_some_and(|end| end == EXTENSION) {
                match fs::read(&file)
                    .map_err(|e| e.to_string())
                    .and_then(|bytes| snapshot_format::decode(&bytes))
                {
                    Ok(snapshot) => loaded.push(snapshot),
                    Err(error) => tracing::warn!(
                        file = %file.display(), error,
                        "ignoring a damaged snapshot; the region is read anew"
                    ),
                }
            }
        }
    }
    loaded
}

fn is_unfinished(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(UNFINISHED)
}

/// If it cannot be removed now, it will be next time; it is never read.
fn remove(unfinished: &Path) {
    let _ = fs::remove_file(unfinished);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).map(|entries| {
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    });
    match listed {
        Ok(paths) => paths,
        // The first start has no directory yet, and a file beside the folders is nobody's.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Vec::new()
        }
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "cannot read snapshots");
            Vec::new()
        }
    }
}

/// A file's name for any text: what is not plain is written as its bytes in hexadecimal.
fn file_name(text: &str) -> String {
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}
