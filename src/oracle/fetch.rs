//! Reading a fetch unit: one read at a time, whoever asks, and it outlives whoever started it.
//!
//! The read runs in a task of its own, because a future that a caller polls dies when that
//! caller hangs up; moka's `get_with` would then begin it anew in the next waiter. And failures
//! are remembered, which moka's `try_get_with` does not do.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::clock::Clock;
use crate::model::{
    Failure, FailureKind, FailureRecord, Lifetimes, Moment, Reading, UnitId, UnitKey,
};
use crate::source::{CallContext, Priority, QuotaSource, Urgency, Wanted};
use crate::store::{Cache, Good};
use crate::telemetry::{Cause, Metrics};

use super::backoff;
use super::carry_over::CarryOver;
use super::read_timeout;

/// What a read ended with; the answer itself is in the cache by then.
pub(super) type Outcome = Result<(), Failure>;

/// Starts reads and lets callers join them; clones share what is under way.
#[derive(Clone, Debug)]
pub(super) struct Fetcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cache: Cache,
    lifetimes: Lifetimes,
    clock: Clock,
    metrics: Metrics,
    kept: CarryOver,
    under_way: Mutex<HashMap<UnitKey, Flight>>,
}

/// A read under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) started: Moment,
    outcome: watch::Receiver<Option<Outcome>>,
    urgency: Urgency,
}

impl Flight {
    /// Waits for the read to end; giving up waiting does not stop it.
    pub(super) async fn outcome(mut self) -> Outcome {
        match self.outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            Err(_) => Err(Failure::new(
                FailureKind::Unavailable,
                "the read was stopped",
            )),
        }
    }
}

impl Fetcher {
    pub(super) fn new(cache: Cache, lifetimes: Lifetimes, clock: Clock, metrics: Metrics) -> Self {
        Self(Arc::new(Inner {
            cache,
            lifetimes,
            clock,
            metrics,
            kept: CarryOver::default(),
            under_way: Mutex::default(),
        }))
    }

    /// Joins the read of this unit that is under way, or starts one.
    pub(super) fn read(
        &self,
        key: &UnitKey,
        source: &Arc<dyn QuotaSource>,
        cause: Cause,
        priority: Priority,
    ) -> Flight {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(key) {
            flight.urgency.raise(priority);
            if priority < Priority::Background {
                self.0.metrics.coalesced(&key.backend);
            }
            return flight.clone();
        }
        let (done, outcome) = watch::channel(None);
        let flight = Flight {
            started: self.0.clock.now(),
            outcome,
            urgency: Urgency::new(priority),
        };
        under_way.insert(key.clone(), flight.clone());
        drop(under_way);

        let read = self
            .clone()
            .run(key.clone(), Arc::clone(source), cause, flight.clone(), done);
        tokio::spawn(read.instrument(tracing::info_span!("read", unit = %key)));
        flight
    }

    async fn run(
        self,
        key: UnitKey,
        source: Arc<dyn QuotaSource>,
        cause: Cause,
        flight: Flight,
        done: watch::Sender<Option<Outcome>>,
    ) {
        let Flight {
            started, urgency, ..
        } = flight;
        let read = async {
            let result = fetch(&*source, &key.unit, urgency).await;
            self.keep(&key, result, cause, started)
        };
        // Whatever happens, the read ends here, and a next one may begin after a while.
        let read = AssertUnwindSafe(read).catch_unwind().await;
        let outcome = read.unwrap_or_else(|_| self.keep(&key, Err(panicked()), cause, started));
        // The answer is in the cache before the next caller could start another read.
        self.under_way().remove(&key);
        let _ = done.send(Some(outcome));
    }

    fn keep(
        &self,
        key: &UnitKey,
        result: Result<Reading, Failure>,
        cause: Cause,
        started: Moment,
    ) -> Outcome {
        self.0.metrics.fetch(&key.backend, cause, &result);
        let before = self.0.cache.get(key);
        let now = self.0.clock.now();
        let cause = cause.as_str();
        let took_ms = started.age(now).as_millis() as u64;
        match result {
            Ok(reading) => {
                tracing::info!(
                    cause,
                    took_ms,
                    regions = reading.regions.len(),
                    gaps = reading.gaps.len(),
                    "read"
                );
                // What another account was told says nothing about this one.
                let is_another = |good: &Good| match (&good.reading.account, &reading.account) {
                    (Some(was), Some(is)) => was != is,
                    _ => false,
                };
                let last = before.as_ref().and_then(|entry| entry.good.as_ref());
                let last = last.filter(|good| !is_another(good));
                let usable_for = self.0.lifetimes.stale_for;
                let reading = self.0.kept.complete(key, reading, last, now, usable_for);
                // As of its start: what changed while it was read may or may not be in it.
                self.0.cache.store_good(key, Arc::new(reading), started);
                Ok(())
            }
            Err(failure) => {
                let in_a_row = 1 + before
                    .and_then(|entry| entry.last_failure.as_ref().map(|f| f.in_a_row))
                    .unwrap_or(0);
                let wait = backoff::wait(&failure, in_a_row, rand::random());
                tracing::warn!(
                    cause,
                    took_ms,
                    in_a_row,
                    kind = failure.kind.as_str(),
                    next_try_s = wait.as_secs(),
                    "not read: {failure}"
                );
                let record = FailureRecord {
                    failure: failure.clone(),
                    at: now,
                    in_a_row,
                    next_try: now.plus(wait),
                };
                self.0.cache.store_failure(key, record);
                Err(failure)
            }
        }
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<UnitKey, Flight>> {
        self.0
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the cloud, within the time that this may take.
async fn fetch(
    source: &dyn QuotaSource,
    unit: &UnitId,
    urgency: Urgency,
) -> Result<Reading, Failure> {
    let read_timeout = read_timeout(source);
    let deadline = Instant::now() + read_timeout;
    let context = CallContext {
        urgency,
        deadline: deadline.into_std(),
    };
    let fetch = source.fetch(unit, &Wanted::All, &context);
    timeout_at(deadline, fetch).await.unwrap_or_else(|_| {
        let seconds = read_timeout.as_secs();
        let detail = format!("no complete answer within {seconds} s");
        Err(Failure::new(FailureKind::Timeout, detail))
    })
}

fn panicked() -> Failure {
    let detail = "reading the cloud failed inside quota-oracle; its log has the panic";
    Failure::new(FailureKind::Malformed, detail)
}
