//! Counts of what has changed, for whoever keeps answers, and a word to whoever tells of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// The changes of everything that is said of a backend.
#[derive(Debug, Default)]
pub(super) struct Changes {
    count: AtomicU64,
    /// Wakes the watcher of all backends.
    watcher: Arc<Notify>,
}

impl Changes {
    pub(super) fn new(watcher: &Arc<Notify>) -> Self {
        Self {
            count: AtomicU64::new(0),
            watcher: Arc::clone(watcher),
        }
    }

    /// Notes a change, after it was made.
    pub(super) fn note(&self) {
        self.count.fetch_add(1, Ordering::Release);
        self.watcher.notify_one();
    }

    /// Returns how many there were. Whoever looks at this first and at the answers then has seen all
    /// that is in them as long as it stays the same.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }
}
