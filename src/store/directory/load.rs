//! Reading the snapshots of a directory at start, on all cores.

use std::fs::{self, File};
use std::io::{self, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use crate::store::snapshot_format::{self, Decoded};
use crate::store::unfinished::UNFINISHED;

use super::file_name::EXTENSION;

/// The least number of files that is worth another thread: decoding that many takes a few
/// milliseconds, starting a thread a few hundredths of one.
const FILES_PER_THREAD: usize = 32;

/// Reads all snapshots of a directory; damaged ones are logged and left out.
pub(super) fn load(directory: &Path) -> Vec<Decoded> {
    let files = snapshot_files(directory);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = files.len().div_ceil(FILES_PER_THREAD).clamp(1, cores);
    let share = files.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let mut shares = files.chunks(share);
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> = shares
            .map(|share| scope.spawn(move || read_all(share)))
            .collect();
        let mut loaded = read_all(own);
        for other in others {
            match other.join() {
                Ok(snapshots) => loaded.extend(snapshots),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        loaded
    })
}

fn read_all(files: &[PathBuf]) -> Vec<Decoded> {
    files.iter().filter_map(|file| read(file)).collect()
}

/// The largest snapshot that is read: one of a thousand quotas is a few hundred kilobytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads a file, and nothing else: a pipe would be waited for, a device never ends.
fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let told = fs::metadata(file).map_err(|error| error.to_string())?;
    if !told.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let open = File::open(file).map_err(|error| error.to_string())?;
    let read = open.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    match bytes.len() as u64 > LARGEST {
        true => Err(format!("it is larger than {LARGEST} bytes")),
        false => Ok(bytes),
    }
}

fn read(file: &Path) -> Option<Decoded> {
    let decoded = bytes(file).and_then(|bytes| snapshot_format::decode(&bytes));
    decoded
        .inspect_err(|error| {
            tracing::warn!(
                file = %file.display(), error,
                "ignoring an unreadable snapshot; the region is read anew"
            );
        })
        .ok()
}

/// Returns the snapshot files of all backends, and removes files that a crash left unfinished.
fn snapshot_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in entries(directory) {
        if is_unfinished(&folder) {
            remove(&folder);
            continue;
        }
        for file in entries(&folder) {
            if is_unfinished(&file) {
                remove(&file);
            } else if file.extension().is_some_and(|end| end == EXTENSION) {
                files.push(file);
            }
        }
    }
    files
}

fn is_unfinished(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(UNFINISHED)
}

/// Removes an unfinished file; should that fail, the next start tries again.
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
        // The first start has no directory yet, and a file beside the folders is not ours.
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
