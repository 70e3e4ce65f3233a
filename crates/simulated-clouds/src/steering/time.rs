//! The simulated clouds' clock.

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock when a simulation started: time passes as it does for tokio, which tests may
/// pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimulatedTime {
    started_at: Timestamp,
    started: Instant,
}

impl SimulatedTime {
    pub(crate) fn start() -> Self {
        Self {
            started_at: Timestamp::now(),
            started: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        self.started_at
            .saturating_add(self.started.elapsed())
            .unwrap_or(self.started_at)
    }
}
