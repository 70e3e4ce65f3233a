//! Events: which regions' answers have changed, and which quotas have more room than before.
//!
//! A watcher compares the regions of a backend with what they were whenever the backend counts a
//! change, or the clock alone has made one. Events are kept in one bounded log that all subscribers
//! read, so that one who does not read holds no memory but its place.

mod log;
mod watcher;

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::model::{BackendName, Region};

use super::state::Oracle;
use log::Log;
use watcher::Watch;

pub use log::{EventId, Missed};
pub(super) use watcher::run;

/// A change of what is said of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionEvent {
    /// Its number, in ascending order.
    pub number: u64,
    /// The backend.
    pub backend: BackendName,
    /// The region.
    pub region: Region,
    /// A digest of the revision, different from that of the event before.
    pub revision: u64,
    /// The codes of the quotas that have more room than before, in order.
    pub quotas_freed: Vec<Arc<str>>,
}

/// The events of a process.
#[derive(Debug)]
pub(super) struct Events {
    log: Log,
    watch: Watch,
    /// The number of the last event, for subscribers to wait on.
    last: watch::Sender<u64>,
    /// Woken by each change of a backend.
    pub(super) changed: Arc<Notify>,
    /// Whether anybody has ever subscribed; without, nothing is watched.
    wanted: watch::Sender<bool>,
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

/// A subscriber's place in the log.
#[derive(Debug)]
pub struct Subscription {
    oracle: Oracle,
    last: watch::Receiver<u64>,
    /// The number of the last event that was taken.
    taken: u64,
}

/// So many events are taken from the log at once.
const BATCH: usize = 64;

impl Oracle {
    /// Subscribes to events from now on, or after the event of that id; the events in between may
    /// be gone.
    pub fn subscribe(&self, after: Option<&str>) -> (Subscription, Option<Missed>) {
        let events = &self.0.events;
        events.wanted.send_replace(true);
        // What changes from here on is an event, though the watcher may not have begun.
        events.watch.look(&self.0);
        let last = events.last.subscribe();
        let (taken, missed) = match after.map(|id| events.log.place_of(id)) {
            None => (events.log.newest(), None),
            Some(Ok(number)) => (number, None),
            Some(Err(missed)) => (events.log.newest(), Some(missed)),
        };
        let subscription = Subscription {
            oracle: self.clone(),
            last,
            taken,
        };
        (subscription, missed)
    }
}

impl Subscription {
    /// Returns the id of the last event that was taken.
    pub fn place(&self) -> EventId {
        self.id(self.taken)
    }

    /// Returns the id of the event of that number.
    pub fn id(&self, number: u64) -> EventId {
        self.oracle.0.events.log.id(number)
    }

    /// Waits for the next events, and returns some; the log may have dropped those in between.
    pub async fn next(&mut self) -> Result<Vec<Arc<RegionEvent>>, Missed> {
        loop {
            // Noted before looking, so that an event in between wakes again.
            self.last.borrow_and_update();
            let log = &self.oracle.0.events.log;
            match log.after(self.taken, BATCH) {
                Ok(events) => {
                    if let Some(last) = events.last() {
                        self.taken = last.number;
                        return Ok(events);
                    }
                }
                Err(missed) => {
                    self.taken = log.newest();
                    return Err(missed);
                }
            }
            // The sender is in the oracle, which is here.
            let _ = self.last.changed().await;
        }
    }
}
