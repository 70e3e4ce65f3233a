//! One call in flight: how long it has been unanswered, how much of that time this process could
//! not run, and what therefore its outcome says about the cloud.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::breaker::Outcome;
use crate::model::{Failure, FailureKind};

/// The interval at which a call in flight is looked after. A first call takes about twenty
/// wake-ups one after another (connection, TLS, request, answer); when each comes this late, the
/// 5 s that one attempt has are over although the cloud answered. So ticks that are late by their
/// own length on average are the border between a slow process and a slow cloud, which
/// [`STALLED_SHARE`] draws.
const TICK: Duration = Duration::from_millis(250);

/// A call that was stalled for one part in this many of its time says nothing about the cloud.
const STALLED_SHARE: u32 = 2;

/// A call that is unanswered for so long no longer counts as in flight in the process: a healthy
/// cloud answers most calls sooner, and a backend whose cloud hangs must not hold up the others.
const UNANSWERED_AFTER: Duration = Duration::from_secs(1);

/// A caller who goes away sooner than this says nothing about the cloud: listing a page of quotas
/// may take a healthy cloud a second or two.
const HANGS_AFTER: Duration = Duration::from_secs(3);

/// The end of a call.
#[derive(Debug)]
pub(super) struct Ended<T> {
    /// The result; none if the deadline came first.
    pub(super) result: Option<T>,
    pub(super) timing: Timing,
}

/// The time that a call was in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) took: Duration,
    /// The sum of the delays with which this task was woken meanwhile: time in which the process
    /// was not scheduled or was busy with other tasks.
    pub(super) stalled: Duration,
    pub(super) cut_short: bool,
}

/// Runs `call` until the deadline; calls `unanswered` when it should no longer count as in flight.
///
/// Time in which the process was stalled does not count as unanswered, because more calls at once
/// would only make a busy process slower.
pub(super) async fn run<T>(
    call: impl Future<Output = T>,
    deadline: Instant,
    unanswered: impl Fn(),
) -> Ended<T> {
    let started = Instant::now();
    let mut stalled = Duration::ZERO;
    let mut call = pin!(call);
    loop {
        let due = (Instant::now() + TICK).min(deadline);
        let result = timeout_at(due, &mut call).await.ok();
        let now = Instant::now();
        stalled += now.saturating_duration_since(due);
        let took = now - started;
        if result.is_some() || now >= deadline {
            let cut_short = result.is_none();
            return Ended {
                result,
                timing: Timing {
                    took,
                    stalled,
                    cut_short,
                },
            };
        }
        if took.saturating_sub(stalled) >= UNANSWERED_AFTER {
            unanswered();
        }
    }
}

impl Timing {
    /// Returns what a result after this time says about the cloud.
    pub(super) fn outcome<'a, T>(&self, result: &'a Result<T, Failure>) -> Outcome<'a> {
        let outcome = Outcome::from(result);
        match outcome {
            // A throttling answer is one, however late it was read.
            Outcome::Failed(failure) if failure.kind != FailureKind::Throttled => {
                let awake = self.took.saturating_sub(self.stalled);
                if self.was_stalled() || (self.cut_short && awake < HANGS_AFTER) {
                    Outcome::Unknown
                } else {
                    outcome
                }
            }
            _ => outcome,
        }
    }

    /// Whether the process was stalled for so long that an answer may have gone unread.
    fn was_stalled(&self) -> bool {
        self.stalled >= TICK && self.stalled >= self.took / STALLED_SHARE
    }
}
