//! Reads of some rows of a fetch unit, for launches that are verified: one at a time, and the next
//! one that is wanted meanwhile.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument;

use crate::coordination::ReadKind;
use crate::model::{Failure, Moment, Reading};
use crate::source::{Priority, QuotaRef, Urgency, Verification, Wanted};
use crate::telemetry::Cause;

use super::fetch::{IsShared, panicked, read_timeout};
use super::flights::{Flight, Outcome, PlannedFlight, RowsFlight, UnderWay, WantedRows};
use super::sharing::Turn;
use super::unit::UnitState;

impl UnitState {
    /// Reads these rows: joins a read of them that is under way or about to start, or starts one.
    pub(super) fn read_rows(
        self: &Arc<Self>,
        wanted: WantedRows,
        cause: Cause,
        priority: Priority,
    ) -> Flight {
        let mut under_way = self.flights.under_way();
        let Some(current) = &under_way.rows else {
            let (flight, done) = Flight::new(self.now(), priority);
            self.start_rows(&mut under_way, wanted, flight.clone(), done, cause);
            return flight;
        };
        if current.brings(&wanted) {
            self.join(&current.flight, priority);
            return current.flight.clone();
        }
        if let Some(next) = &mut under_way.next_rows {
            next.wanted.extend(wanted);
            self.join(&next.flight, priority);
            return next.flight.clone();
        }
        let (flight, done) = Flight::new(self.now(), priority);
        under_way.next_rows = Some(PlannedFlight {
            wanted,
            flight: flight.clone(),
            done,
            cause,
        });
        flight
    }

    fn start_rows(
        self: &Arc<Self>,
        under_way: &mut UnderWay,
        wanted: WantedRows,
        flight: Flight,
        done: watch::Sender<Option<Outcome>>,
        cause: Cause,
    ) {
        under_way.rows = Some(RowsFlight {
            wanted: wanted.clone(),
            flight: flight.clone(),
        });
        let read = Arc::clone(self).run_rows(wanted, cause, flight, done);
        tokio::spawn(read.instrument(tracing::info_span!("fetch", unit = %self.key)));
    }

    async fn run_rows(
        self: Arc<Self>,
        wanted: WantedRows,
        cause: Cause,
        flight: Flight,
        done: watch::Sender<Option<Outcome>>,
    ) {
        let _busy = self.flights.busy();
        let read = self.read_rows_in_turn(wanted, cause, &flight);
        let read = AssertUnwindSafe(read).catch_unwind().await;
        let outcome = read.unwrap_or_else(|_| Err(panicked()));
        let mut under_way = self.flights.under_way();
        under_way.rows = None;
        if let Some(next) = under_way.next_rows.take() {
            let PlannedFlight {
                wanted,
                flight,
                done,
                cause,
            } = next;
            self.start_rows(&mut under_way, wanted, flight, done, cause);
        }
        drop(under_way);
        let _ = done.send(Some(outcome));
    }

    /// Reads rows, unless another replica does.
    async fn read_rows_in_turn(
        self: &Arc<Self>,
        wanted: WantedRows,
        cause: Cause,
        flight: &Flight,
    ) -> Outcome {
        let urgency = &flight.urgency;
        let since = wanted.since;
        let rows = wanted.rows.clone();
        let wanted = Verification {
            wanted: Wanted::Only(wanted.rows),
            needs: wanted.needs,
            since: self.context.clock.instant(since).into_std(),
        };
        let Some(sharing) = &self.context.sharing else {
            let read = self.verify_rows(&wanted, cause, urgency, flight.started, IsShared::Yes);
            return read.await.1;
        };
        let is_young = |row: &QuotaRef| {
            let now = self.now();
            let keys = [row.key.clone()];
            let old = self.rows_older_than(&row.region, keys, since.age(now), now);
            old.is_empty()
        };
        let deadline = Instant::now() + read_timeout(&*self.source);
        let is_done = || rows.iter().all(is_young);
        let turn = sharing.turn(self, ReadKind::Rows, urgency, deadline, is_done);
        let turn = turn.await;
        let started = sharing.by_the_store(self.now());
        let read = async |is_shared| {
            let read = self.verify_rows(&wanted, cause, urgency, started, is_shared);
            read.await
        };
        match turn {
            Turn::Done => Ok(()),
            Turn::Alone => read(IsShared::No).await.1,
            Turn::Ours(lock) => {
                let read = read(IsShared::Yes);
                let (reading, outcome) = sharing.holding(&lock, read).await;
                // Nobody who waits for the rows waits for the others to be told.
                let (unit, sharing) = (Arc::clone(self), sharing.clone());
                tokio::spawn(async move {
                    let _busy = unit.flights.busy();
                    if let Some(reading) = reading {
                        sharing.post_rows(&unit, &reading, started, &lock).await;
                    }
                    sharing.end(&lock).await;
                });
                outcome
            }
        }
    }

    async fn verify_rows(
        &self,
        wanted: &Verification,
        cause: Cause,
        urgency: &Urgency,
        started: Moment,
        is_shared: IsShared,
    ) -> (Option<Reading>, Outcome) {
        let unit = &self.key.unit;
        let result = self
            .in_time(urgency.clone(), async |context| {
                self.source.verify(unit, wanted, context).await
            })
            .await;
        let reading = result.as_ref().ok();
        let reading = reading.filter(|_| self.context.sharing.is_some()).cloned();
        self.note_shared(is_shared);
        (reading, self.take_up_rows(result, cause, started))
    }

    fn take_up_rows(
        &self,
        result: Result<Reading, Failure>,
        cause: Cause,
        started: Moment,
    ) -> Outcome {
        self.context
            .metrics
            .fetch(&self.key.backend, cause, &result);
        let cause = cause.as_str();
        match result {
            Ok(reading) => {
                self.store_rows(&reading, started);
                // Rows that are missing may be those that a caller verifies, so the read has failed.
                let mut gaps = reading.gaps.into_iter();
                let left_out = gaps.find(|gap| gap.kind.is_transient());
                left_out.map_or(Ok(()), Err)
            }
            Err(failure) => {
                tracing::warn!(cause, "quota fetch of some rows failed: {failure}");
                Err(failure)
            }
        }
    }
}
