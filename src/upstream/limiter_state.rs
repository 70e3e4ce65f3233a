//! The state of a limiter: who waits, how fast calls may go, and whether the cloud answers.

use std::num::NonZeroU32;

use tokio::time::Instant;

use super::adaptive_rate::AdaptiveRate;
use super::breaker::{Admission, Breaker, Change, Outcome};
use super::opening::Opening;
use super::queue::{Queue, WaiterId};
use super::scope::Scope;
use super::settings::{BreakerPolicy, Rate};
use crate::model::{Failure, FailureKind};
use crate::source::Priority;

/// The state of a limiter. It does not wait.
#[derive(Debug)]
pub(super) struct LimiterState {
    pub(super) queue: Queue,
    pub(super) rate: AdaptiveRate,
    pub(super) breaker: Breaker,
    concurrency: NonZeroU32,
    in_flight: u32,
    opening: Option<Opening>,
    throttled_at: Option<Instant>,
}

/// Whether the limits of this operation allow a waiter's call now.
#[derive(Debug)]
pub(super) enum Readiness {
    Ready { priority: Priority, probe: bool },
    Refuse(Failure),
    Wait(Option<Instant>),
}

/// A call that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    sent_at: Instant,
    probe: bool,
}

impl LimiterState {
    pub(super) fn new(rate: Rate, concurrency: NonZeroU32, policy: BreakerPolicy) -> Self {
        Self {
            queue: Queue::default(),
            rate: AdaptiveRate::new(rate),
            breaker: Breaker::new(policy),
            concurrency,
            in_flight: 0,
            opening: None,
            throttled_at: None,
        }
    }

    /// Returns whether the limits allow this waiter's call now.
    pub(super) fn readiness(
        &self,
        scope: &Scope,
        waiter: WaiterId,
        now: Instant,
        deadline: Instant,
    ) -> Readiness {
        let admission = self.breaker.admission(now);
        if let Admission::Held(left, cause) = admission {
            return Readiness::Refuse(scope.held_back(left, cause));
        }
        if now >= deadline {
            return Readiness::Refuse(scope.too_late());
        }
        let (priority, before) = self
            .queue
            .place(waiter)
            .expect("a waiter stays in the queue until its call is sent or it is dropped");
        let earliest = self.rate.earliest_behind(before, now);
        if earliest > deadline {
            return Readiness::Refuse(scope.too_many(earliest - now));
        }
        let allowed = match priority {
            Priority::Verify | Priority::Request => self.concurrency.get(),
            Priority::Background => self.concurrency_for_background(),
        };
        if before > 0 || admission == Admission::AfterProbe || self.in_flight >= allowed {
            return Readiness::Wait(None);
        }
        let burst = self.rate.burst();
        let opening = self.opening.as_ref();
        if let Some(until) = opening.and_then(|opening| opening.holds_until(burst, now)) {
            return Readiness::Wait(Some(until));
        }
        let ready_at = self.rate.ready_at(now);
        if ready_at > deadline {
            Readiness::Refuse(scope.too_many(ready_at - now))
        } else if ready_at > now {
            Readiness::Wait(Some(ready_at))
        } else {
            let probe = admission == Admission::Probe;
            Readiness::Ready { priority, probe }
        }
    }

    /// Background calls leave one place free, so that a caller never waits for one of them to end,
    /// unless there is one place only.
    fn concurrency_for_background(&self) -> u32 {
        (self.concurrency.get() - 1).max(1)
    }

    /// Takes a token for a call that is ready, or returns when there will be one.
    pub(super) fn send(
        &mut self,
        waiter: WaiterId,
        probe: bool,
        now: Instant,
    ) -> Result<InFlight, Instant> {
        let is_first = self.rate.is_full(now);
        self.rate.take(now)?;
        match &mut self.opening {
            Some(opening) => opening.sent += 1,
            None => self.opening = is_first.then(|| Opening::at(now)),
        }
        if probe {
            self.breaker.start_probe();
        }
        self.in_flight += 1;
        self.queue.leave(waiter);
        Ok(InFlight {
            sent_at: now,
            probe,
        })
    }

    /// Takes the outcome of a call into account.
    pub(super) fn settle(
        &mut self,
        in_flight: InFlight,
        outcome: Outcome<'_>,
        now: Instant,
    ) -> Option<Change> {
        self.in_flight -= 1;
        self.end_opening(in_flight, outcome, now);
        let news = self.adapt(in_flight, outcome, now);
        let change = self
            .breaker
            .record(in_flight.probe, news, now, rand::random());
        if change == Some(Change::Closed) {
            self.rate.restart_slowly(now);
        }
        change
    }

    /// Ends an opening that no answer has ended: the rate counts from its end on.
    pub(super) fn end_late_opening(&mut self, now: Instant) {
        if let Some(opening) = self.opening.take_if(|opening| now >= opening.over_at()) {
            self.rate.count_anew(opening.sent, opening.over_at(), now);
        }
    }

    /// Ends the opening at its first answer: the rate counts from then on.
    fn end_opening(&mut self, in_flight: InFlight, outcome: Outcome<'_>, now: Instant) {
        self.end_late_opening(now);
        let is_answer = !matches!(outcome, Outcome::Unknown);
        let ended = |opening: &mut Opening| is_answer && opening.is_ended_by(in_flight.sent_at);
        if let Some(opening) = self.opening.take_if(ended) {
            self.rate.count_anew(opening.sent, now, now);
        }
    }

    /// Adapts the rate to a call's outcome, and returns the outcome that the breaker counts.
    fn adapt<'a>(
        &mut self,
        in_flight: InFlight,
        outcome: Outcome<'a>,
        now: Instant,
    ) -> Outcome<'a> {
        let failure = match outcome {
            Outcome::Answered => {
                self.rate.speed_up();
                return outcome;
            }
            Outcome::Unknown => return outcome,
            Outcome::Failed(failure) => failure,
        };
        if let Some(asked) = failure.retry_after {
            self.rate.hold(now + asked);
        }
        if failure.kind != FailureKind::Throttled {
            return outcome;
        }
        // Calls that were in flight when the cloud last throttled were sent before the rate was
        // lowered, so their being throttled too is the same news.
        if self
            .throttled_at
            .is_some_and(|then| in_flight.sent_at <= then)
        {
            return Outcome::Unknown;
        }
        self.throttled_at = Some(now);
        self.rate.slow_down(now);
        outcome
    }
}
