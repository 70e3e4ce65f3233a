//! The limiter of one operation in one region: decides in one place, under one lock, whose turn it
//! is, whether a call may be sent now, and what its outcome means for the calls after it.
//!
//! Every waiter decides for itself: when it joins, when its urgency rises, and when it is notified.
//! So every change of the state notifies the first waiter, and nothing is polled.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::breaker::{Admission, Change, Outcome};
use super::call_slots::{BackendSlots, Slot};
use super::limiter_state::{InFlight, LimiterState, Readiness};
use super::queue::WaiterId;
use super::scope::Scope;
use super::settings::{BreakerPolicy, Rate};
use super::shared::Replicas;
use super::shared_token::SharedToken;
use crate::coordination::SharedRate;
use crate::model::{Failure, FailureKind};
use crate::source::{Priority, Urgency};

/// The limiter of one operation in one region of one account.
#[derive(Debug)]
pub(super) struct Limiter {
    scope: Scope,
    slots: BackendSlots,
    pub(super) replicas: Option<Replicas>,
    policy: BreakerPolicy,
    /// Held for one decision at a time, never across an await.
    state: Mutex<LimiterState>,
}

/// The next step of a waiter.
enum Decision {
    Send(InFlight, Slot),
    Refuse(Failure),
    /// Waits until notified, or until then.
    Wait(Option<Instant>),
}

impl Limiter {
    pub(super) fn new(
        scope: Scope,
        rate: Rate,
        concurrency: NonZeroU32,
        slots: BackendSlots,
        replicas: Option<Replicas>,
        policy: BreakerPolicy,
    ) -> Self {
        Self {
            scope,
            slots,
            replicas,
            policy,
            state: Mutex::new(LimiterState::new(rate, concurrency, policy)),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Waits for a permit to make one call; fails early once none can be granted before
    /// `deadline`.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        urgency: &Urgency,
        deadline: Instant,
    ) -> Result<Permit, Failure> {
        let mut waiter = Waiter::join(self, urgency);
        loop {
            match self.decide(&mut waiter, Instant::now(), deadline) {
                Decision::Send(in_flight, slot) => {
                    return Ok(Permit {
                        limiter: Arc::clone(self),
                        in_flight,
                        slot,
                        settled: false,
                        token: None,
                    });
                }
                Decision::Refuse(failure) => return Err(failure),
                Decision::Wait(until) => {
                    let until = until.map_or(deadline, |then| then.min(deadline));
                    tokio::select! {
                        () = waiter.notify.notified() => {}
                        // The queue holds the sender, so this is a change and never its end.
                        _ = waiter.urgency.changed() => {}
                        () = sleep_until(until) => {}
                    }
                }
            }
        }
    }

    /// Returns the failure that calls meet while the circuit breaker is open.
    pub(super) fn held_back(&self) -> Option<Failure> {
        match self.state.lock().breaker.admission(Instant::now()) {
            Admission::Held(left, cause) => Some(self.scope.held_back(left, cause)),
            Admission::Free | Admission::Probe | Admission::AfterProbe => None,
        }
    }

    fn decide(&self, waiter: &mut Waiter<'_>, now: Instant, deadline: Instant) -> Decision {
        let mut state = self.state.lock();
        if let Some(replicas) = &self.replicas {
            state.rate.divide(replicas.division(), now, rand::random());
        }
        state.end_late_opening(now);
        let (priority, probe) = match state.readiness(&self.scope, waiter.id, now, deadline) {
            Readiness::Ready { priority, probe } => (priority, probe),
            // A slot that is not used at once goes to another call.
            Readiness::Refuse(failure) => {
                waiter.slot = None;
                return Decision::Refuse(failure);
            }
            Readiness::Wait(until) => {
                waiter.slot = None;
                return Decision::Wait(until);
            }
        };
        // The slot comes before the token: the cloud counts calls when they are sent, and a token
        // taken earlier would be followed by a burst when slots become free.
        let mut slot = match waiter.slot.take() {
            Some(slot) => slot,
            None => self.slots.request(priority, &waiter.notify),
        };
        if !slot.is_granted(priority) {
            waiter.slot = Some(slot);
            return Decision::Wait(None);
        }
        match state.send(waiter.id, probe, now) {
            Ok(in_flight) => Decision::Send(in_flight, slot),
            Err(then) => Decision::Wait(Some(then)),
        }
    }

    /// Returns the rate that all replicas together keep to.
    pub(super) fn shared_rate(&self) -> SharedRate {
        self.state.lock().rate.shared()
    }

    /// Uses the share of the rate that all replicas together use.
    pub(super) fn adopt_factor(&self, factor: f64) {
        self.state.lock().rate.adopt(factor);
    }

    /// Holds calls back because other replicas have met a failure; returns what callers are told.
    pub(super) fn adopt_open(&self, left: Duration, cause: Failure) -> Failure {
        let mut state = self.state.lock();
        state.breaker.adopt(left, cause.clone(), Instant::now());
        state.queue.notify_first();
        self.scope.held_back(left, cause)
    }

    /// Takes the outcome of a call into account.
    fn settle(&self, in_flight: InFlight, outcome: Outcome<'_>) {
        let now = Instant::now();
        let mut state = self.state.lock();
        let change = state.settle(in_flight, outcome, now);
        // If the breaker has opened, each waiter is refused, leaves, and notifies the next one.
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
}

/// A permit for one call. Dropped without an outcome, by a caller that went away or an attempt
/// that panicked, it frees its place all the same.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    in_flight: InFlight,
    slot: Slot,
    settled: bool,
    /// The token of all replicas together, where they share the rate.
    pub(super) token: Option<SharedToken>,
}

impl Permit {
    /// Reports the outcome of the call.
    pub(super) fn settle(mut self, outcome: Outcome<'_>) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome<'_>) {
        self.settled = true;
        self.limiter.settle(self.in_flight, outcome);
        if let Some((token, replicas)) = self.token.take().zip(self.limiter.replicas.as_ref()) {
            token.report(replicas, self.limiter.policy, outcome);
        }
    }

    /// Stops counting the call against the bound of the process.
    pub(super) fn release_slot(&self) {
        self.slot.release();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            self.end(Outcome::Unknown);
        }
    }
}

/// A caller in the queue. Dropped, whether its call was sent, refused or given up, it notifies the
/// next one.
struct Waiter<'a> {
    limiter: &'a Limiter,
    id: WaiterId,
    notify: Arc<Notify>,
    urgency: watch::Receiver<Priority>,
    /// The slot, or the request for one, of a call that everything else allows.
    slot: Option<Slot>,
}

impl<'a> Waiter<'a> {
    fn join(limiter: &'a Limiter, urgency: &Urgency) -> Self {
        // Before the priority is first read, so that no rise is missed.
        let receiver = urgency.subscribe();
        let (id, notify) = limiter.state.lock().queue.join(urgency.clone());
        Self {
            limiter,
            id,
            notify,
            urgency: receiver,
            slot: None,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state.lock();
        state.queue.leave(self.id);
        state.queue.notify_first();
    }
}
