//! Signals from the leases of a backend to whoever keeps what was said of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use jiff::SignedDuration;

use crate::model::Moment;
use crate::oracle::changes::Changes;

/// The signals that the units of a backend share.
#[derive(Debug)]
pub(super) struct BackendSignals {
    live: AtomicUsize,
    /// In nanoseconds since the start of the process.
    next_change: AtomicI64,
    /// Counts the changes of everything that is said of the backend.
    backend_changes: Arc<Changes>,
}

impl BackendSignals {
    pub(super) fn new(backend_changes: Arc<Changes>) -> Self {
        Self {
            live: AtomicUsize::new(0),
            next_change: AtomicI64::new(i64::MAX),
            backend_changes,
        }
    }

    /// Tells that so many leases live now, and when the clock alone changes what they hold.
    pub(super) fn tell(&self, live: usize, next_change: Option<SignedDuration>) {
        let next = next_change.map_or(i64::MAX, nanos);
        self.next_change.store(next, Ordering::Release);
        self.live.store(live, Ordering::Release);
        self.backend_changes.note();
    }

    /// Whether any lease lives.
    pub(super) fn any_live(&self) -> bool {
        self.live.load(Ordering::Acquire) > 0
    }

    /// Whether the clock alone has changed what is held.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.next_change.load(Ordering::Acquire) <= nanos(now.since_start)
    }

    /// Returns when the clock alone changes what is held.
    pub(super) fn next_change(&self, now: Moment) -> Option<Moment> {
        let next = self.next_change.load(Ordering::Acquire);
        let next = SignedDuration::from_nanos(Some(next).filter(|next| *next != i64::MAX)?);
        let left = next.saturating_sub(now.since_start);
        Some(now.plus(left.try_into().unwrap_or_default()))
    }
}

/// Returns a time since the start as a number that an atomic can hold, which lasts for centuries.
fn nanos(since_start: SignedDuration) -> i64 {
    i64::try_from(since_start.as_nanos()).unwrap_or(i64::MAX)
}
