//! The limiter that every call of one operation in one region goes through: one decision, in one
//! place, about whose turn it is, whether there is room, and whether the cloud may be called.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::adaptive_rate::AdaptiveRate;
use super::breaker::{Admission, Breaker, Change, Outcome};
use super::queue::{Queue, WaiterId};
use super::settings::{BreakerPolicy, Rate};
use crate::model::{BackendName, Failure, FailureKind, Region};
use crate::source::{Priority, Urgency};

/// The limiter of one operation in one region of one account.
#[derive(Debug)]
pub(super) struct Limiter {
    scope: Scope,
    concurrency: NonZeroU32,
    /// A blocking lock: it is held for a decision, never while anybody waits.
    state: Mutex<State>,
}

/// What a limiter stands before.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) backend: BackendName,
    pub(super) region: Region,
    pub(super) operation: &'static str,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    running: u32,
    rate: AdaptiveRate,
    breaker: Breaker,
    throttled_at: Option<Instant>,
}

/// What the one whose turn it may be has to do.
enum Decision {
    Go(InFlight),
    Refused(Failure),
    /// Until notified, or at the latest then.
    Wait(Option<Instant>),
}

/// A call that was let through.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    at: Instant,
    probe: bool,
}

/// How soon a background call that leaves room for a caller looks whether one has joined it: an
/// urgency rises without a sound, and a twentieth of a second is not felt beside a cloud's answer.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Limiter {
    pub(super) fn new(
        scope: Scope,
        rate: Rate,
        concurrency: NonZeroU32,
        policy: BreakerPolicy,
    ) -> Self {
        Self {
            scope,
            concurrency,
            state: Mutex::new(State {
                queue: Queue::default(),
                running: 0,
                rate: AdaptiveRate::new(rate),
                breaker: Breaker::new(policy),
                throttled_at: None,
            }),
        }
    }

    /// Waits for leave to make one call; fails as soon as it is known that none comes in time.
    pub(super) async fn enter(
        self: &Arc<Self>,
        urgency: &Urgency,
        deadline: Instant,
    ) -> Result<Permit, Failure> {
        let waiter = Waiter::join(self, urgency.clone());
        loop {
            let turn = self.turn(waiter.waiter_id, Instant::now(), deadline);
            match turn {
                Decision::Go(in_flight) => {
                    return Ok(Permit {
                        limiter: Arc::clone(self),
                        in_flight,
                        settled: false,
                    });
                }
                Decision::Refused(failure) => return Err(failure),
                Decision::Wait(until) => {
                    let until = until.map_or(deadline, |then| then.min(deadline));
                    // Rung or not, the next decision is made on what is true then.
                    let _ = timeout_at(until, waiter.notify.notified()).await;
                }
            }
        }
    }

    /// The failure that calls meet at once, while the circuit breaker is open.
    pub(super) fn held(&self) -> Option<Failure> {
        match self.lock().breaker.admission(Instant::now()) {
            Admission::Held(left, cause) => Some(self.held_back(left, cause)),
            Admission::Free | Admission::Probe | Admission::AfterProbe => None,
        }
    }

    fn turn(&self, waiter_id: WaiterId, now: Instant, deadline: Instant) -> Decision {
        let mut state = self.lock();
        let admission = state.breaker.admission(now);
        if let Admission::Held(left, cause) = admission {
            return Decision::Refused(self.held_back(left, cause));
        }
        if now >= deadline {
            return Decision::Refused(self.too_late());
        }
        let (priority, before) = state
            .queue
            .place(waiter_id)
            .expect("a waiter has its place until its turn comes or it goes away");
        let earliest = state.rate.earliest_behind(before, now);
        if earliest > deadline {
            return Decision::Refused(self.too_many(earliest - now));
        }
        if before > 0 {
            // Whoever is first may not know it, if its urgency has just risen.
            state.queue.notify_first();
            return Decision::Wait(None);
        }
        if admission == Admission::AfterProbe {
            return Decision::Wait(None);
        }
        if state.running >= self.concurrency.get() {
            return Decision::Wait(None);
        }
        if priority == Priority::Background && state.running >= self.room_for_background() {
            return Decision::Wait(Some(now + LOOK_AGAIN));
        }
        if let Err(then) = state.rate.take(now) {
            return if then > deadline {
                Decision::Refused(self.too_many(then - now))
            } else {
                Decision::Wait(Some(then))
            };
        }
        let probe = admission == Admission::Probe;
        if probe {
            state.breaker.start_probe();
        }
        state.running += 1;
        state.queue.leave(waiter_id);
        Decision::Go(InFlight { at: now, probe })
    }

    /// Background calls leave one place free, so that a caller never waits for one to end; where
    /// there is one place only, they have to use it.
    fn room_for_background(&self) -> u32 {
        (self.concurrency.get() - 1).max(1)
    }

    /// A call that was let through has ended.
    fn settle(&self, in_flight: InFlight, outcome: Outcome<'_>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.running -= 1;
        let news = state.adapt(in_flight, outcome, now);
        let change = state
            .breaker
            .record(in_flight.probe, news, now, rand::random());
        if change == Some(Change::Closed) {
            state.rate.restart_slowly(now);
        }
        // If it has opened, everybody in turn is refused, goes away and rings the next.
        state.queue.notify_first();
        let factor = state.rate.factor();
        drop(state);
        self.report(outcome, change, factor);
    }

    fn report(&self, outcome: Outcome<'_>, change: Option<Change>, factor: f64) {
        let Scope {
            backend,
            region,
            operation,
        } = &self.scope;
        if let Outcome::Failed(failure) = outcome
            && failure.kind == FailureKind::Throttled
        {
            tracing::warn!(%backend, %region, operation, factor, %failure, "upstream call throttled");
        }
        match change {
            Some(Change::Opened(wait)) => {
                tracing::warn!(%backend, %region, operation, ?wait, "circuit breaker opened");
            }
            Some(Change::Closed) => {
                tracing::info!(%backend, %region, operation, factor, "circuit breaker closed");
            }
            None => {}
        }
    }

    fn held_back(&self, left: Duration, cause: Failure) -> Failure {
        let Scope {
            region, operation, ..
        } = &self.scope;
        let words = &cause.detail;
        let detail = format!(
            "the circuit breaker holds back calls of {operation} in {region} after: {words}"
        );
        Failure {
            detail,
            retry_after: Some(left),
            ..cause
        }
    }

    fn too_many(&self, wait: Duration) -> Failure {
        let Scope {
            region, operation, ..
        } = &self.scope;
        let detail =
            format!("the rate limit leaves no call of {operation} in {region} before the deadline");
        Failure::new(FailureKind::Throttled, detail).retry_after(wait)
    }

    fn too_late(&self) -> Failure {
        let Scope {
            region, operation, ..
        } = &self.scope;
        let detail = format!("the deadline passed before {operation} could be called in {region}");
        Failure::new(FailureKind::Timeout, detail)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A decision that panicked has left the counts as they were before or after it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adapts the rate to a call's outcome, and gives what the outcome is worth to the breaker.
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
        // Calls that were under way when the cloud last throttled could not know it yet: their
        // being throttled too is the same news.
        if self.throttled_at.is_some_and(|then| in_flight.at <= then) {
            return Outcome::Unknown;
        }
        self.throttled_at = Some(now);
        self.rate.slow_down(now);
        outcome
    }
}

/// Leave for one call. Dropped without an outcome, by a caller that went away or an attempt that
/// panicked, it frees its place all the same.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    in_flight: InFlight,
    settled: bool,
}

impl Permit {
    pub(super) fn settle(mut self, outcome: Outcome<'_>) {
        self.settled = true;
        self.limiter.settle(self.in_flight, outcome);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            self.limiter.settle(self.in_flight, Outcome::Unknown);
        }
    }
}

/// Somebody in the queue; dropped, whether let through, refused or gone, it rings the next.
struct Waiter<'a> {
    limiter: &'a Limiter,
    waiter_id: WaiterId,
    notify: Arc<Notify>,
}

impl<'a> Waiter<'a> {
    fn join(limiter: &'a Limiter, urgency: Urgency) -> Self {
        let (waiter_id, notify) = limiter.lock().queue.join(urgency);
        Self {
            limiter,
            waiter_id,
            notify,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.lock();
        state.queue.leave(self.waiter_id);
        state.queue.notify_first();
    }
}
