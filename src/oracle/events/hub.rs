//! The events of a process, as the watcher and the subscribers share them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::model::{BackendName, Moment};
use crate::oracle::backend::BackendState;

use super::log::Log;
use super::watch::Watch;

/// The events of a process.
#[derive(Debug)]
pub(in crate::oracle) struct Events {
    pub(super) log: Log,
    watch: Watch,
    /// The number of the last event, for subscribers to wait on.
    pub(super) last: watch::Sender<u64>,
    /// Woken by each change of a backend.
    pub(in crate::oracle) changed: Arc<Notify>,
    /// Whether anybody has ever subscribed; without, nothing is watched.
    pub(super) wanted: watch::Sender<bool>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            log: Log::default(),
            watch: Watch::default(),
            last: watch::Sender::new(0),
            changed: Arc::default(),
            wanted: watch::Sender::new(false),
        }
    }
}

impl Events {
    /// Puts what has changed since the last look into the log. Returns when something changes by
    /// the clock alone.
    pub(super) fn look(
        &self,
        backends: &BTreeMap<BackendName, Arc<BackendState>>,
        now: Moment,
    ) -> Option<Moment> {
        self.watch.look(backends, now, |found| {
            self.last.send_replace(self.log.add(found));
        })
    }
}
