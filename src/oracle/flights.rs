//! The reads of a unit that are under way, for callers to join.

use std::collections::BTreeSet;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::model::{Failure, FailureKind, Moment};
use crate::source::{Priority, QuotaRef, Urgency};
use crate::telemetry::Cause;

/// How a read ended; its answer is in the unit by then.
pub(super) type Outcome = Result<(), Failure>;

/// The reads of a unit that are under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<UnderWay>);

#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) full: Option<Flight>,
    pub(super) rows: Option<RowsFlight>,
    /// The read of rows that starts when the one under way ends.
    pub(super) next_rows: Option<PlannedFlight>,
}

/// A read under way; clones wait for the same end.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    /// When it was started or, for a read that waits for its turn, asked for.
    pub(super) started: Moment,
    outcome: watch::Receiver<Option<Outcome>>,
    pub(super) urgency: Urgency,
}

/// A read of some rows under way.
#[derive(Debug)]
pub(super) struct RowsFlight {
    pub(super) rows: BTreeSet<QuotaRef>,
    pub(super) flight: Flight,
}

/// A read of some rows that waits for the one under way to end; callers may still add rows.
#[derive(Debug)]
pub(super) struct PlannedFlight {
    pub(super) rows: BTreeSet<QuotaRef>,
    pub(super) flight: Flight,
    pub(super) done: watch::Sender<Option<Outcome>>,
    pub(super) cause: Cause,
}

impl Flight {
    /// A read that starts now, and the sender that tells its end.
    pub(super) fn new(
        started: Moment,
        priority: Priority,
    ) -> (Self, watch::Sender<Option<Outcome>>) {
        let (done, outcome) = watch::channel(None);
        let flight = Self {
            started,
            outcome,
            urgency: Urgency::new(priority),
        };
        (flight, done)
    }

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

impl Flights {
    /// Whether any read is under way.
    pub(super) fn is_reading(&self) -> bool {
        let under_way = self.0.lock();
        under_way.full.is_some() || under_way.rows.is_some()
    }

    /// Returns what is under way, locked: whoever starts a read notes it before it lets go.
    pub(super) fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock()
    }
}
