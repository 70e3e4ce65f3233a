//! On whose behalf a cloud is called: how urgently, and until when.

use std::time::Instant;

use tokio::sync::watch;

/// The urgency of a call; a lower number goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// A launch is waiting for its last check.
    Verify = 0,
    /// A caller is waiting.
    Request = 1,
    /// Nobody is waiting.
    Background = 2,
}

/// A read's priority, shared with whoever joins it: it rises when somebody more urgent does.
#[derive(Clone, Debug)]
pub struct Urgency(watch::Sender<Priority>);

impl Urgency {
    /// An urgency that starts at `priority`.
    pub fn new(priority: Priority) -> Self {
        Self(watch::Sender::new(priority))
    }

    /// Makes it at least as urgent as `priority`.
    pub fn raise(&self, priority: Priority) {
        self.0.send_if_modified(|current| {
            let rises = priority < *current;
            if rises {
                *current = priority;
            }
            rises
        });
    }

    /// Returns the present priority.
    pub fn priority(&self) -> Priority {
        *self.0.borrow()
    }

    /// Returns a receiver that is told when the priority rises from now on.
    pub fn subscribe(&self) -> watch::Receiver<Priority> {
        self.0.subscribe()
    }
}

/// On whose behalf a cloud is called.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The urgency, which may rise while the call waits.
    pub urgency: Urgency,
    /// After this moment nobody wants the answer.
    pub deadline: Instant,
}
