//! Leases on disk: a journal in which each change is a line, written before anybody is told of it.
//!
//! It is not forced to the disk, so that leases survive the end of the process and not that of the
//! machine. The file is written anew once most of its lines say nothing any more.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::model::{Lease, LeaseId, RequestKey};

use super::fingerprint::Fingerprints;
use super::unfinished::UNFINISHED;

/// The journal's name in the directory.
const FILE: &str = "leases.journal";

/// A journal is written anew no sooner: it is read in a few milliseconds.
const SMALL: u64 = 1024 * 1024;

/// The leases of a directory.
#[derive(Debug)]
pub struct LeaseJournal {
    directory: PathBuf,
    fingerprints: Fingerprints,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    file: Option<File>,
    size: u64,
    /// The size at which it is written anew.
    large: u64,
    /// Whether its last line may be half a one.
    is_torn: bool,
    /// Whether the last write failed, so that a full disk is logged once.
    is_failing: bool,
}

/// A lease as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLease {
    /// The lease, with times of day only.
    pub lease: Lease,
    /// The key of the request that took it.
    pub request: Option<RequestKey>,
    /// When it ended, if it has; it is here for its key then.
    pub ended_at: Option<Timestamp>,
    /// Whether the other replicas do not know of it as it is here.
    pub unshared: bool,
}

impl StoredLease {
    /// Notes the end by the clock; whether anything is to be kept at `now`.
    fn pass(&mut self, now: Timestamp) -> bool {
        let expiry = self.lease.expires_at.wall;
        if self.ended_at.is_none() && expiry <= now {
            self.ended_at = Some(expiry);
        }
        let kept_until = |ended: Timestamp| ended.saturating_add(RequestKey::KEPT_AFTER_THE_END);
        self.ended_at.is_none_or(|ended| {
            self.request.is_some() && kept_until(ended).is_ok_and(|until| now < until)
        })
    }
}

/// A line of the journal, after its checksum.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    /// The lease is from now on as it is here.
    Put {
        /// Tells the account of its backend from others.
        account: String,
        lease: Box<Lease>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<RequestKey>,
        /// The other replicas do not know of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unshared: bool,
    },
    /// The lease has ended before its time.
    End { id: LeaseId, at: Timestamp },
}

impl LeaseJournal {
    /// The journal in a directory, for these backends.
    pub fn new(directory: &Path, fingerprints: Fingerprints) -> Self {
        Self {
            directory: directory.to_owned(),
            fingerprints,
            open: Mutex::default(),
        }
    }

    /// Returns the leases that have not ended by `now`, and those whose keys are kept, of the
    /// accounts that are configured. Damaged lines, such as one that was never finished, are logged and left out.
    pub fn load(&self, now: Timestamp) -> Vec<StoredLease> {
        let mut open = self.open.lock();
        let leases = self.read(now);
        if let Err(error) = self.rewrite(&mut open, &leases) {
            open.fail(&self.directory, &error);
        }
        leases
    }

    /// Stores a lease as it is from now on.
    pub fn put(&self, lease: &Lease, request: Option<&RequestKey>, now: Timestamp) {
        self.put_as(lease, request, false, now);
    }

    /// Stores a lease that the other replicas do not know as it is from now on.
    pub fn put_unshared(&self, lease: &Lease, request: Option<&RequestKey>, now: Timestamp) {
        self.put_as(lease, request, true, now);
    }

    fn put_as(&self, lease: &Lease, request: Option<&RequestKey>, unshared: bool, now: Timestamp) {
        let Some(record) = self.record(lease, request, unshared) else {
            return;
        };
        let mut open = self.open.lock();
        self.append(&mut open, &record);
        if open.size > open.large {
            let leases = self.read(now);
            if let Err(error) = self.rewrite(&mut open, &leases) {
                open.fail(&self.directory, &error);
                // Not with every line from now on.
                open.large = open.size.saturating_mul(2);
            }
        }
    }

    /// Notes that a lease has ended before its time.
    pub fn end(&self, id: &LeaseId, at: Timestamp) {
        let mut open = self.open.lock();
        self.append(&mut open, &Record::End { id: id.clone(), at });
    }

    fn record(
        &self,
        lease: &Lease,
        request: Option<&RequestKey>,
        unshared: bool,
    ) -> Option<Record> {
        let fingerprint = self.fingerprints.get(&lease.backend)?;
        Some(Record::Put {
            account: fingerprint.account().to_owned(),
            lease: Box::new(lease.clone()),
            request: request.cloned(),
            unshared,
        })
    }

    fn append_to(&self) -> io::Result<File> {
        let file = self.directory.join(FILE);
        OpenOptions::new().create(true).append(true).open(file)
    }

    fn append(&self, open: &mut Open, record: &Record) {
        let result = (|| {
            let mut line = line(record)?;
            if open.is_torn {
                line.insert(0, b'\n');
            }
            if open.file.is_none() {
                fs::create_dir_all(&self.directory)?;
                open.file = Some(self.append_to()?);
            }
            if let Some(file) = &mut open.file {
                file.write_all(&line)?;
            }
            open.size += line.len() as u64;
            Ok(())
        })();
        match result {
            Ok(()) => {
                open.is_torn = false;
                if open.is_failing {
                    open.is_failing = false;
                    tracing::info!(directory = %self.directory.display(), "leases are written again");
                }
            }
            Err(error) => {
                open.is_torn = true;
                open.fail(&self.directory, &error);
            }
        }
    }

    /// Reads the leases that have not ended by `now`, and those whose keys are kept.
    fn read(&self, now: Timestamp) -> Vec<StoredLease> {
        let bytes = match fs::read(self.directory.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(directory = %self.directory.display(), %error, "cannot read leases");
                Vec::new()
            }
        };
        let mut leases = BTreeMap::new();
        let mut damaged = 0;
        let lines = bytes.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            match understood(line) {
                Some(Record::Put {
                    account,
                    lease,
                    request,
                    unshared,
                }) => {
                    let ours = self.fingerprints.get(&lease.backend);
                    if ours.is_some_and(|ours| ours.account() == account) {
                        let lease = *lease;
                        let stored = StoredLease {
                            lease,
                            request,
                            ended_at: None,
                            unshared,
                        };
                        leases.insert(stored.lease.id.clone(), stored);
                    }
                }
                Some(Record::End { id, at }) => {
                    if let Some(stored) = leases.get_mut(&id) {
                        stored.ended_at = Some(at);
                    }
                }
                None => damaged += 1,
            }
        }
        if damaged > 0 {
            tracing::warn!(
                directory = %self.directory.display(), damaged,
                "ignoring damaged lines of the leases' journal"
            );
        }
        leases.retain(|_, stored| stored.pass(now));
        leases.into_values().collect()
    }

    /// Replaces the journal by one of these leases alone.
    fn rewrite(&self, open: &mut Open, leases: &[StoredLease]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for stored in leases {
            let request = stored.request.as_ref();
            let Some(record) = self.record(&stored.lease, request, stored.unshared) else {
                continue;
            };
            bytes.extend(line(&record)?);
            if let Some(at) = stored.ended_at {
                let id = stored.lease.id.clone();
                bytes.extend(line(&Record::End { id, at })?);
            }
        }
        fs::create_dir_all(&self.directory)?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.directory)?;
        file.write_all(&bytes)?;
        file.persist(self.directory.join(FILE))?;
        *open = Open {
            file: Some(self.append_to()?),
            size: bytes.len() as u64,
            large: SMALL.max(3 * bytes.len() as u64),
            is_torn: false,
            is_failing: open.is_failing,
        };
        Ok(())
    }
}

impl Open {
    fn fail(&mut self, directory: &Path, error: &io::Error) {
        if !self.is_failing {
            self.is_failing = true;
            tracing::warn!(
                directory = %directory.display(), %error,
                "cannot write leases; carrying on from memory, the next restart forgets them"
            );
        }
    }
}

/// Returns the line of a record: its checksum, a blank and JSON, which has no line ends.
fn line(record: &Record) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(record)?;
    let mut line = format!("{:08x} ", checksum(&json)).into_bytes();
    line.extend(json);
    line.push(b'\n');
    Ok(line)
}

fn understood(line: &[u8]) -> Option<Record> {
    let (sum, json) = line.split_at_checked(9)?;
    let sum = u32::from_str_radix(str::from_utf8(sum).ok()?.trim_end(), 16).ok()?;
    (sum == checksum(json)).then(|| serde_json::from_slice(json).ok())?
}

fn checksum(json: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(json);
    sum.sum()
}

#[cfg(test)]
mod tests;
