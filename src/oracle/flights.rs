//! The reads of a unit that are under way, for callers to join.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::model::{Failure, FailureKind, Moment};
use crate::source::{Need, Priority, QuotaRef, Urgency};
use crate::telemetry::Cause;

/// How a read ended; its answer is in the unit by then.
pub(super) type Outcome = Result<(), Failure>;

/// The reads of a unit that are under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<UnderWay>, watch::Sender<u32>);

/// A read that is under way, or of which others are being told.
#[derive(Debug)]
pub(super) struct Busy<'a>(&'a Flights);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.1.send_modify(|busy| *busy -= 1);
    }
}

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
    /// What began to be read before is too old; nothing is where this is not set.
    since: Arc<Mutex<Option<Moment>>>,
}

/// The rows that somebody wants read.
#[derive(Clone, Debug)]
pub(super) struct WantedRows {
    /// Which.
    pub(super) rows: BTreeSet<QuotaRef>,
    /// The launches that they are read for.
    pub(super) needs: BTreeSet<Need>,
    /// Answers to calls that were sent earlier are too old.
    pub(super) since: Moment,
}

impl WantedRows {
    /// Rows of which all is needed that can be known.
    pub(super) fn whole(rows: BTreeSet<QuotaRef>, since: Moment) -> Self {
        Self::for_launch(rows, Need::new(), since)
    }

    /// Rows that a launch waits for.
    pub(super) fn for_launch(rows: BTreeSet<QuotaRef>, need: Need, since: Moment) -> Self {
        Self {
            rows,
            needs: BTreeSet::from([need]),
            since,
        }
    }

    /// Adds what somebody else wants.
    pub(super) fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.needs.extend(other.needs);
        if self.since.is_before(other.since) {
            self.since = other.since;
        }
    }

    /// Whether reading these brings what `other` asks for, apart from its age.
    fn bring(&self, other: &Self) -> bool {
        let serves = |need: &Need| self.needs.contains(need) || self.needs.contains(&Need::new());
        other.rows.is_subset(&self.rows) && other.needs.iter().all(serves)
    }
}

/// A read of some rows under way.
#[derive(Debug)]
pub(super) struct RowsFlight {
    pub(super) wanted: WantedRows,
    pub(super) flight: Flight,
}

impl RowsFlight {
    /// Whether it brings what somebody wants.
    pub(super) fn brings(&self, wanted: &WantedRows) -> bool {
        self.wanted.bring(wanted)
    }
}

/// A read of some rows that waits for the one under way to end; callers may still add rows.
#[derive(Debug)]
pub(super) struct PlannedFlight {
    pub(super) wanted: WantedRows,
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
            since: Arc::default(),
        };
        (flight, done)
    }

    /// Asks for what began to be read at `since` or later.
    pub(super) fn ask_since(&self, since: Option<Moment>) {
        let mut known = self.since.lock();
        if known.is_none_or(|known| since.is_some_and(|since| known.is_before(since))) {
            *known = since;
        }
    }

    /// Returns when that has to have begun which is read.
    pub(super) fn since(&self) -> Option<Moment> {
        *self.since.lock()
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

    /// Waits until no read is under way, and until others were told of what was read.
    pub(super) async fn ended(&self) {
        let mut busy = self.1.subscribe();
        // Its sender is here.
        let _ = busy.wait_for(|busy| *busy == 0).await;
    }

    /// Counts a read as under way, until what was read was told to others as well.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.1.send_modify(|busy| *busy += 1);
        Busy(self)
    }

    /// Makes the reads under way at least this urgent.
    pub(super) fn raise(&self, priority: Priority) {
        let under_way = self.0.lock();
        let rows = under_way.rows.as_ref().map(|rows| &rows.flight);
        for flight in under_way.full.iter().chain(rows) {
            flight.urgency.raise(priority);
        }
    }

    /// Returns what is under way, locked: whoever starts a read notes it before it lets go.
    pub(super) fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock()
    }
}
