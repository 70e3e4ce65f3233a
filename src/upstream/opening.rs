//! The first calls after a pause.
//!
//! The cloud counts calls when they arrive. The first ones after a pause arrive late: a connection is
//! made for each, to a region on another continent in half a second, and in a process that has just
//! started everything is done for the first time. Calls after them would meet them there, and be
//! throttled. So no more than the burst is sent before the first answer, and the rate counts from
//! that answer on.

use std::time::Duration;

use tokio::time::Instant;

/// Calls that are not answered within this time are taken to have arrived at its end.
const ARRIVED_WITHIN: Duration = Duration::from_secs(2);

/// The first calls after a pause, until one of them is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    began: Instant,
    pub(super) sent: u32,
}

impl Opening {
    /// Begins with the first call.
    pub(super) fn at(now: Instant) -> Self {
        Self {
            began: now,
            sent: 1,
        }
    }

    /// Returns until when a further call waits for an answer at most, where the burst is used up.
    pub(super) fn holds_until(&self, burst: u32, now: Instant) -> Option<Instant> {
        let until = self.over_at();
        (self.sent >= burst && now < until).then_some(until)
    }

    /// Whether the answer of a call that was sent then ends it.
    pub(super) fn is_ended_by(&self, sent_at: Instant) -> bool {
        sent_at >= self.began
    }

    /// Returns when it is over, if there is no answer.
    pub(super) fn over_at(&self) -> Instant {
        self.began + ARRIVED_WITHIN
    }
}
