//! The knowledge of one fetch unit.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{FailureRecord, Freshness, Lifetimes, Moment, Reading};

/// The last good answer of a unit and the failures since; neither replaces the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// The rows that are known: those of the last full read, completed by later reads of some.
    pub(super) last_good: Option<LastGood>,
    /// The failure of the last full read, if it came after the last good one.
    pub(super) last_failure: Option<FailureRecord>,
    /// Counts the changes of the unit's entry.
    pub(super) revision: u64,
}

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct LastGood {
    /// The answer.
    pub(super) reading: Arc<Reading>,
    /// When the full read that it rests on began; nothing if there was none yet, and each row
    /// then has its own `observed_at`.
    pub(super) taken_at: Option<Moment>,
}

impl Entry {
    /// Whether the unit was neither read nor tried yet.
    pub(super) fn is_untried(&self) -> bool {
        self.taken_at().is_none() && self.last_failure.is_none()
    }

    /// When the last full read began.
    pub(super) fn taken_at(&self) -> Option<Moment> {
        self.last_good.as_ref()?.taken_at
    }

    /// The reading of the last full read.
    pub(super) fn full_reading(&self) -> Option<&Arc<Reading>> {
        let good = self.last_good.as_ref()?;
        good.taken_at.map(|_| &good.reading)
    }

    /// Whether the last failure asks to leave the cloud alone for now.
    pub(super) fn backs_off(&self, now: Moment) -> bool {
        let failure = self.last_failure.as_ref();
        failure.is_some_and(|failure| !failure.next_try.until(now).is_zero())
    }
}

/// How old an answer is, and what that makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// How old it is now.
    pub age: Duration,
    /// How far it may be relied on.
    pub freshness: Freshness,
    /// How long any answer is fresh.
    pub fresh_for: Duration,
}

impl Age {
    /// The age of an answer of `taken_at`.
    pub(super) fn new(taken_at: Moment, now: Moment, lifetimes: Lifetimes) -> Self {
        let age = taken_at.age(now);
        Self {
            age,
            freshness: lifetimes.judge(age),
            fresh_for: lifetimes.fresh_for,
        }
    }
}
