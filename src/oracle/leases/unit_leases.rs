//! The leases of a fetch unit, as its views see them: mostly without the book's lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{
    BackendName, CloudKind, Leased, Moment, Quota, QuotaPlace, Reading, Region, Snapshot, UnitKey,
};
use crate::oracle::changes::Changes;

use super::book::LeaseBook;
use super::signals::BackendSignals;

/// The leases of a fetch unit.
#[derive(Debug)]
pub(in crate::oracle) struct UnitLeases {
    book: Arc<LeaseBook>,
    backend: BackendName,
    changes: Arc<AtomicU64>,
    signals: Arc<BackendSignals>,
}

impl UnitLeases {
    /// The leases of this unit; each of their changes counts as one of its backend.
    pub(in crate::oracle) fn new(
        book: &Arc<LeaseBook>,
        unit: &UnitKey,
        backend_changes: &Arc<Changes>,
    ) -> Self {
        let (changes, signals) = book.register(unit, backend_changes);
        Self {
            book: Arc::clone(book),
            backend: unit.backend.clone(),
            changes,
            signals,
        }
    }

    /// Returns how often what is held of the unit's quotas has changed until `now`.
    pub(in crate::oracle) fn changes(&self, now: Moment) -> u64 {
        if self.signals.is_due(now) {
            self.book.read(&self.backend, now, |_| ());
        }
        self.changes.load(Ordering::Acquire)
    }

    /// Returns when the clock alone changes what is held of the backend's quotas.
    pub(in crate::oracle) fn next_change(&self, now: Moment) -> Option<Moment> {
        self.signals.next_change(now)
    }

    /// Whether a lease lives that concerns the region.
    pub(in crate::oracle) fn concern(&self, region: &Region, now: Moment) -> bool {
        self.signals.any_live()
            && self
                .book
                .read(&self.backend, now, |held| held.concerns(region))
                .unwrap_or_default()
    }

    /// Returns how much is held of the rows that a region shows.
    pub(in crate::oracle) fn leased(
        &self,
        region: &Region,
        rows: &Snapshot,
        observed_at: impl Fn(&Quota) -> Option<Moment>,
        now: Moment,
    ) -> Leased {
        if !self.signals.any_live() {
            return Leased::NOTHING;
        }
        let leased = self.book.read(&self.backend, now, |held| {
            held.leased(region, rows, observed_at, now, None)
        });
        leased.unwrap_or_default()
    }

    /// Notes the account that a reading of the unit is of.
    pub(in crate::oracle) fn note_account(&self, kind: &CloudKind, reading: &Reading) {
        if let Some(account) = &reading.account {
            self.book.note_account(&self.backend, kind, account);
        }
    }

    /// Ends the committed leases whose launches the rows show by now.
    pub(in crate::oracle) fn settle(
        &self,
        now: Moment,
        shown_until: impl Fn(&QuotaPlace) -> Option<Moment>,
    ) {
        if self.signals.any_live() {
            self.book.settle(&self.backend, now, shown_until);
        }
    }
}
