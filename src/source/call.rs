//! On whose behalf a cloud is called: how urgently, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// Who waits for a call; a lower number goes first.
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

impl Priority {
    fn from_rank(rank: u8) -> Self {
        match rank {
            0 => Self::Verify,
            1 => Self::Request,
            _ => Self::Background,
        }
    }
}

/// A read's priority, shared with whoever joins it: it rises when somebody more urgent does.
#[derive(Clone, Debug)]
pub struct Urgency(Arc<AtomicU8>);

impl Urgency {
    /// An urgency that starts at `priority`.
    pub fn new(priority: Priority) -> Self {
        Self(Arc::new(AtomicU8::new(priority as u8)))
    }

    /// Makes it at least as urgent as `priority`.
    pub fn raise(&self, priority: Priority) {
        self.0.fetch_min(priority as u8, Ordering::Relaxed);
    }

    /// What it is now.
    pub fn priority(&self) -> Priority {
        Priority::from_rank(self.0.load(Ordering::Relaxed))
    }
}

/// On whose behalf a cloud is called.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// How urgently.
    pub urgency: Urgency,
    /// After this moment nobody wants the answer.
    pub deadline: Instant,
}
