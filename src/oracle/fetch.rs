//! Reads of a fetch unit: at most one full read and one read of some rows at a time, whoever asks,
//! and each outlives whoever started it.
//!
//! A read runs in a task of its own, because a future that a caller polls dies when that caller
//! hangs up. Its result is taken up before the next read can start, and a failed full read is
//! remembered, so that the next caller does not ask a throttling cloud again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::coordination::{ReadKind, ReadLock};
use crate::model::{Failure, FailureKind, FailureRecord, Moment, Reading};
use crate::source::{CallContext, Priority, QuotaSource, Urgency, Wanted};
use crate::telemetry::Cause;

use super::backoff;
use super::entry::Entry;
use super::flights::{Flight, Outcome};
use super::sharing::Turn;
use super::unit::UnitState;

/// The least that one full read of a unit may take in all.
///
/// An AWS region is 21 calls at 4 a second with 4 at once, about five seconds; a throttled start
/// needs some retries on top. Callers have their own, shorter deadlines.
const SHORTEST_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns how long one full read of this source may take in all, retries and waiting for the rate
/// included: twice what it needs when nothing goes wrong.
pub fn read_timeout(source: &dyn QuotaSource) -> Duration {
    let twice = source.estimated_duration().saturating_mul(2);
    twice.max(SHORTEST_READ_TIMEOUT)
}

/// Whether the other replicas, if there are any, are to have what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsShared {
    Yes,
    No,
}

impl UnitState {
    /// Joins the full read that is under way, or starts one.
    pub(super) fn read(self: &Arc<Self>, cause: Cause, priority: Priority) -> Flight {
        self.read_since(cause, priority, None)
    }

    /// Joins the full read that is under way, or starts one; what another replica began to read
    /// before `since` is too old.
    pub(super) fn read_since(
        self: &Arc<Self>,
        cause: Cause,
        priority: Priority,
        since: Option<Moment>,
    ) -> Flight {
        let mut under_way = self.flights.under_way();
        if let Some(flight) = &under_way.full {
            self.join(flight, priority);
            flight.ask_since(since);
            return flight.clone();
        }
        let (flight, done) = Flight::new(self.now(), priority);
        flight.ask_since(since);
        under_way.full = Some(flight.clone());
        drop(under_way);
        if self.entry().is_untried() {
            // From now on its status is another one.
            self.note_change();
        }
        let read = Arc::clone(self).run_full(cause, flight.clone(), done);
        tokio::spawn(read.instrument(tracing::info_span!("fetch", unit = %self.key)));
        flight
    }

    pub(super) fn join(&self, flight: &Flight, priority: Priority) {
        flight.urgency.raise(priority);
        if priority < Priority::Background {
            self.context.metrics.coalesced(&self.key.backend);
        }
    }

    async fn run_full(
        self: Arc<Self>,
        cause: Cause,
        flight: Flight,
        done: watch::Sender<Option<Outcome>>,
    ) {
        let _busy = self.flights.busy();
        let started = flight.started;
        let read = self.read_full_in_turn(cause, &flight);
        // Whatever happens, the read ends here, and a next one may begin after a while.
        let read = AssertUnwindSafe(read).catch_unwind().await;
        let panicked = |_| (self.take_up_full(Err(panicked()), cause, started), None);
        let (outcome, lock) = read.unwrap_or_else(panicked);
        // The answer is taken up before the next caller could start another read.
        self.flights.under_way().full = None;
        let is_good = outcome.is_ok();
        let _ = done.send(Some(outcome));
        if let Some((sharing, lock)) = self.context.sharing.as_ref().zip(lock) {
            match self.entry().last_failure.as_ref().filter(|_| !is_good) {
                Some(record) => sharing.post_failure(&self, record, &lock).await,
                None => sharing.post_full(&self, Some(&lock)).await,
            }
            sharing.end(&lock).await;
        }
    }

    /// Reads in full, unless another replica does; returns the lock that it was read under.
    async fn read_full_in_turn(
        self: &Arc<Self>,
        cause: Cause,
        flight: &Flight,
    ) -> (Outcome, Option<ReadLock>) {
        let urgency = &flight.urgency;
        let Some(sharing) = &self.context.sharing else {
            let read = self.read_full(cause, urgency, flight.started, IsShared::Yes);
            return (read.await, None);
        };
        let before = self.entry();
        let deadline = Instant::now() + read_timeout(&*self.source);
        let is_done = || self.was_read_since(&before, flight.since());
        let turn = sharing.turn(self, ReadKind::Full, urgency, deadline, is_done);
        let turn = turn.await;
        let started = sharing.by_the_store(self.now());
        match turn {
            Turn::Done => (self.outcome_since(&before), None),
            Turn::Alone => {
                let read = self.read_full(cause, urgency, started, IsShared::No);
                (read.await, None)
            }
            Turn::Ours(lock) => {
                let read = self.read_full(cause, urgency, started, IsShared::Yes);
                (sharing.holding(&lock, read).await, Some(lock))
            }
        }
    }

    async fn read_full(
        &self,
        cause: Cause,
        urgency: &Urgency,
        started: Moment,
        is_shared: IsShared,
    ) -> Outcome {
        let unit = &self.key.unit;
        let result = self
            .in_time(urgency.clone(), async |context| {
                self.source.fetch(unit, &Wanted::All, context).await
            })
            .await;
        self.note_shared(is_shared);
        self.take_up_full(result, cause, started)
    }

    pub(super) fn note_shared(&self, is_shared: IsShared) {
        if is_shared == IsShared::No {
            self.board.note_ahead(true);
        }
    }

    /// Whether another replica has read the unit: later than was known `before` and, where it is
    /// given, no earlier than `since`.
    fn was_read_since(&self, before: &Entry, since: Option<Moment>) -> bool {
        let now = self.entry();
        let failed_at = |entry: &Entry| entry.last_failure.as_ref().map(|failure| failure.at);
        let is_new = |known: Option<Moment>, at: Option<Moment>| match (at, since) {
            (Some(at), Some(since)) => !at.is_before(since),
            (Some(at), None) => known.is_none_or(|known| known.is_before(at)),
            (None, _) => false,
        };
        is_new(before.taken_at(), now.taken_at()) || is_new(failed_at(before), failed_at(&now))
    }

    /// Returns how the read of another replica has ended.
    fn outcome_since(&self, before: &Entry) -> Outcome {
        let now = self.entry();
        match &now.last_failure {
            Some(record) if before.last_failure.as_ref() != Some(record) => {
                Err(record.failure.clone())
            }
            _ => Ok(()),
        }
    }

    /// Reads the cloud, within the time that this may take.
    pub(super) async fn in_time(
        &self,
        urgency: Urgency,
        read: impl AsyncFnOnce(&CallContext) -> Result<Reading, Failure>,
    ) -> Result<Reading, Failure> {
        let read_timeout = read_timeout(&*self.source);
        let deadline = Instant::now() + read_timeout;
        let context = CallContext {
            urgency,
            deadline: deadline.into_std(),
        };
        let read = timeout_at(deadline, read(&context)).await;
        read.unwrap_or_else(|_| {
            let seconds = read_timeout.as_secs();
            let detail = format!("no complete answer within {seconds} s");
            Err(Failure::new(FailureKind::Timeout, detail))
        })
    }

    fn take_up_full(
        &self,
        result: Result<Reading, Failure>,
        cause: Cause,
        started: Moment,
    ) -> Outcome {
        self.context
            .metrics
            .fetch(&self.key.backend, cause, &result);
        let now = self.now();
        let cause = cause.as_str();
        let took_ms = started.age(now).as_millis() as u64;
        match result {
            Ok(reading) => {
                tracing::info!(
                    cause,
                    took_ms,
                    regions = reading.regions.len(),
                    gaps = reading.gaps.len(),
                    "quotas fetched"
                );
                self.context.failures.forget(&self.key);
                self.store_full(reading, started);
                Ok(())
            }
            Err(failure) => {
                let before = self.entry();
                let in_a_row = 1 + before.last_failure.as_ref().map_or(0, |last| last.in_a_row);
                let wait = backoff::wait(&failure, in_a_row, rand::random());
                let kind = failure.kind.as_str();
                let next_try_s = wait.as_secs();
                if self.context.failures.is_news(&self.key, &failure, now) {
                    tracing::warn!(
                        cause,
                        took_ms,
                        in_a_row,
                        kind,
                        next_try_s,
                        "quota fetch failed: {failure}"
                    );
                } else {
                    // Another unit of the backend, or this one before, has told the same.
                    tracing::debug!(
                        cause,
                        took_ms,
                        in_a_row,
                        kind,
                        next_try_s,
                        "quota fetch failed alike: {failure}"
                    );
                }
                self.store_failure(FailureRecord {
                    failure: failure.clone(),
                    at: now,
                    in_a_row,
                    next_try: now.plus(wait),
                });
                Err(failure)
            }
        }
    }
}

pub(super) fn panicked() -> Failure {
    let detail = "reading the cloud failed inside quota-oracle; its log has the panic";
    Failure::new(FailureKind::Malformed, detail)
}
