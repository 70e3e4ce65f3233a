//! A subscriber's place in the log of events.

use std::sync::Arc;

use tokio::sync::watch;

use crate::oracle::state::Oracle;

use super::event::RegionEvent;
use super::log::{EventId, Missed};

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
        events.look(&self.0.backends, self.0.clock.now());
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
