//! A unit's place on its board: how far it is known, and whoever waits for more.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::sync::{Mutex, Notify};

use crate::model::UnitKey;

/// A unit's place on its board.
#[derive(Debug, Default)]
pub(in crate::oracle) struct UnitBoard {
    /// The version up to which everything is taken up.
    version: AtomicI64,
    /// The version with the last full reading.
    full: AtomicI64,
    /// Whether this replica has read what the others have not.
    is_ahead: AtomicBool,
    /// Told when something was posted, or a read of another replica has ended.
    pub(super) news: Notify,
    /// One at a time takes up what is new.
    pub(super) taking_up: Mutex<()>,
}

impl UnitBoard {
    /// Returns the version up to which everything is taken up.
    pub(super) fn version(&self) -> i64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns the version with the last full reading; 0 if none is known.
    pub(super) fn full_version(&self) -> i64 {
        self.full.load(Ordering::Acquire)
    }

    pub(super) fn note(&self, version: i64) {
        self.version.fetch_max(version, Ordering::AcqRel);
    }

    pub(super) fn note_full(&self, version: i64) {
        self.full.store(version, Ordering::Release);
    }

    /// Notes whether this replica has read what the others have not: launches that only it sees in
    /// the usage still count.
    pub(in crate::oracle) fn note_ahead(&self, is_ahead: bool) {
        self.is_ahead.store(is_ahead, Ordering::Release);
    }

    pub(in crate::oracle) fn is_ahead(&self) -> bool {
        self.is_ahead.load(Ordering::Acquire)
    }

    /// Returns a number from 0 up to 1 that is the same on all replicas until the next full
    /// reading, so that together they read no more often than one alone; nothing where they have
    /// no reading in common.
    pub(in crate::oracle) fn common_chance(&self, unit: &UnitKey) -> Option<f64> {
        let version = self.full_version();
        if version == 0 {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (unit, version).hash(&mut hasher);
        Some((hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}
