//! Everything about one fetch unit, in one place.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::model::{
    CloudKind, Coverage, FailureRecord, FetchUnit, Lifetimes, Moment, QuotaPlace, Reading, Region,
    UnitKey, shown_until,
};
use crate::source::QuotaSource;
use crate::store::{SnapshotStore, StoredSnapshot};
use crate::telemetry::Metrics;

use super::changes::Changes;
use super::entry::{Entry, LastGood};
use super::failure_log::FailureLog;
use super::feedback::LaunchMemory;
use super::flights::Flights;
use super::leases::{LeaseBook, UnitLeases};
use super::limits_alone::LimitsAlone;
use super::sharing::{Sharing, UnitBoard};

/// Tools that all units of a process share.
#[derive(Clone, Debug)]
pub(super) struct UnitContext {
    pub(super) clock: Clock,
    pub(super) lifetimes: Lifetimes,
    pub(super) metrics: Metrics,
    pub(super) store: Option<Arc<dyn SnapshotStore>>,
    pub(super) failures: Arc<FailureLog>,
    pub(super) leases: Arc<LeaseBook>,
    pub(super) sharing: Option<Sharing>,
    /// Woken by each change of a backend.
    pub(super) watcher: Arc<Notify>,
}

/// A fetch unit: what is known of it, the reads under way, and when somebody last asked.
#[derive(Debug)]
pub(super) struct UnitState {
    pub(super) key: UnitKey,
    pub(super) kind: CloudKind,
    pub(super) coverage: Coverage,
    pub(super) source: Arc<dyn QuotaSource>,
    pub(super) context: UnitContext,
    pub(super) flights: Flights,
    pub(super) leases: UnitLeases,
    /// The failed launches that still count.
    pub(super) launches: LaunchMemory,
    /// What other replicas have read.
    pub(super) board: UnitBoard,
    entry: ArcSwap<Entry>,
    /// In seconds since the start of the process.
    requested_at: AtomicI64,
    /// Tells the refresher that the unit may be due earlier than it thought.
    pub(super) wake: Notify,
    /// Counts the changes of all units of the backend.
    backend_changes: Arc<Changes>,
    pub(super) limits_alone: LimitsAlone,
}

/// A unit that nobody asked about for this long is read less often.
const IDLE_AFTER: Duration = Duration::from_secs(3600);

impl UnitState {
    pub(super) fn new(
        key: UnitKey,
        kind: CloudKind,
        unit: FetchUnit,
        source: Arc<dyn QuotaSource>,
        context: UnitContext,
        backend_changes: Arc<Changes>,
    ) -> Self {
        Self {
            leases: UnitLeases::new(&context.leases, &key, &backend_changes),
            key,
            kind,
            coverage: unit.coverage,
            source,
            context,
            flights: Flights::default(),
            launches: LaunchMemory::default(),
            board: UnitBoard::default(),
            entry: ArcSwap::default(),
            requested_at: AtomicI64::new(0),
            wake: Notify::new(),
            backend_changes,
            limits_alone: LimitsAlone::default(),
        }
    }

    /// Returns what is known of the unit.
    pub(super) fn entry(&self) -> Arc<Entry> {
        self.entry.load_full()
    }

    /// Returns the present moment.
    pub(super) fn now(&self) -> Moment {
        self.context.clock.now()
    }

    /// Returns the regions that are known to be the unit's: as configured, and as found by reading.
    pub(super) fn regions(&self) -> BTreeSet<Region> {
        let mut regions: BTreeSet<_> = self.coverage.known_regions().iter().cloned().collect();
        if self.coverage.is_discovered()
            && let Some(reading) = self.entry().full_reading()
        {
            regions.extend(reading.regions.keys().cloned());
        }
        regions
    }

    /// Whether a region that nobody has named may turn out to be the unit's.
    pub(super) fn may_cover_any(&self) -> bool {
        self.coverage.is_discovered() && self.entry().full_reading().is_none()
    }

    /// Whether the unit covers `region`, as far as is known now.
    pub(super) fn covers(&self, region: &str) -> bool {
        if !self.coverage.is_discovered() {
            return self.lists(region);
        }
        match self.entry().full_reading() {
            Some(reading) => reading.regions.contains_key(region),
            None => true,
        }
    }

    /// Whether the operator has named `region`.
    pub(super) fn lists(&self, region: &str) -> bool {
        let regions = self.coverage.known_regions();
        regions.iter().any(|known| known.as_str() == region)
    }

    /// Notes that somebody asks about the unit now.
    pub(super) fn mark_requested(&self, now: Moment) {
        let seconds = now.since_start.as_secs();
        let before = self.requested_at.fetch_max(seconds, Ordering::Relaxed);
        if seconds.saturating_sub(before) >= IDLE_AFTER.as_secs().cast_signed() {
            self.wake.notify_one();
        }
    }

    /// Whether nobody has asked about it for long.
    pub(super) fn is_idle(&self, now: Moment) -> bool {
        let requested = SignedDuration::from_secs(self.requested_at.load(Ordering::Relaxed));
        let idle_for = Duration::try_from(now.since_start - requested).unwrap_or_default();
        idle_for >= IDLE_AFTER
    }

    /// Takes up what an earlier process knew.
    pub(super) fn restore(&self, stored: StoredSnapshot) {
        let (_, reading, taken_at) = stored.restore(&self.context.clock);
        self.leases.note_account(&self.kind, &reading);
        self.update(|_| Entry {
            last_good: Some(LastGood {
                reading: Arc::clone(&reading),
                taken_at: Some(taken_at),
            }),
            ..Entry::default()
        });
    }

    /// Takes up a full reading that began at `started`: it is completed by what a transient
    /// failure left out, and by rows that were read since; the failures before it are forgotten.
    pub(super) fn store_full(&self, reading: Reading, started: Moment) {
        let usable_for = self.context.lifetimes.stale_for;
        let now = self.now();
        let entry = self.update(|before| {
            let known = before.taken_at();
            if known.is_some_and(|known| started.is_before(known)) {
                // Another replica has read meanwhile.
                return before.clone();
            }
            let last = before.last_good.as_ref();
            // What another account was told says nothing about this one.
            let last = last.filter(|last| !is_another_account(&last.reading, &reading));
            // As of its start: what changed while it was read may or may not be in it.
            let mut reading = reading.clone().of_one_moment(started);
            if let Some(last) = last {
                let last_taken_at = last.taken_at.unwrap_or(started);
                reading = reading
                    .carry_over(&last.reading, last_taken_at, now, usable_for)
                    .merge(started, &last.reading.observed_after(started), started);
            }
            Entry {
                last_good: Some(LastGood {
                    reading: Arc::new(reading),
                    taken_at: Some(started),
                }),
                ..Entry::default()
            }
        });
        self.limits_alone.forget();
        self.settle_launches(&entry, started);
        self.write(&entry);
        self.settle_leases(&entry);
    }

    /// Takes up a full reading of another replica, which has completed it already: rows that were
    /// read later are kept. Whether it is newer than what was known.
    pub(super) fn take_over_full(&self, reading: Reading, started: Moment) -> bool {
        if has_newer(&self.entry(), started) {
            return false;
        }
        self.context.failures.forget(&self.key);
        let entry = self.update(|before| {
            if has_newer(before, started) {
                return before.clone();
            }
            let last = before.last_good.as_ref();
            let last = last.filter(|last| !is_another_account(&last.reading, &reading));
            let reading = match last {
                Some(last) => {
                    let later = last.reading.observed_after(started);
                    reading.clone().merge(started, &later, started)
                }
                None => reading.clone(),
            };
            Entry {
                last_good: Some(LastGood {
                    reading: Arc::new(reading),
                    taken_at: Some(started),
                }),
                ..Entry::default()
            }
        });
        self.limits_alone.forget();
        self.settle_launches(&entry, started);
        self.write(&entry);
        self.settle_leases(&entry);
        true
    }

    /// Takes up a failure that another replica has met, unless this one has read since.
    pub(super) fn take_over_failure(&self, failure: FailureRecord) {
        let entry = self.entry();
        let is_later = |known: Moment| failure.at.is_before(known);
        let known = entry.last_failure.as_ref().map(|known| known.at);
        if !entry.taken_at().is_some_and(is_later) && !known.is_some_and(is_later) {
            self.store_failure(failure);
        }
    }

    /// Takes up rows that were read on their own, from `started` on.
    pub(super) fn store_rows(&self, rows: &Reading, started: Moment) {
        let usable_for = self.context.lifetimes.stale_for;
        let now = self.now();
        self.limits_alone.note(rows, started);
        let entry = self.update(|before| {
            let last_good = match &before.last_good {
                Some(last) if !is_another_account(&last.reading, rows) => {
                    let reading = Reading::clone(&last.reading);
                    // Without a full read every row has a moment of its own.
                    let taken_at = last.taken_at.unwrap_or(started);
                    let rows = match rows.incomplete.usage {
                        true => &rows
                            .clone()
                            .with_usage_of(&reading, taken_at, now, usable_for),
                        false => rows,
                    };
                    LastGood {
                        reading: Arc::new(reading.merge(taken_at, rows, started)),
                        taken_at: last.taken_at,
                    }
                }
                _ => LastGood {
                    reading: Arc::new(Reading::default().merge(started, rows, started)),
                    taken_at: None,
                },
            };
            Entry {
                last_good: Some(last_good),
                ..before.clone()
            }
        });
        self.settle_launches(&entry, started);
        self.write(&entry);
        self.settle_leases(&entry);
    }

    /// Forgets the failed launches that a read begun at `started` has overtaken.
    fn settle_launches(&self, entry: &Entry, started: Moment) {
        if let Some(good) = &entry.last_good
            && self.launches.compare(&good.reading, started)
        {
            self.note_change();
        }
    }

    /// Ends the leases whose launches the entry shows.
    ///
    /// Those on a quota that is one for all regions wait for their end by the clock where other
    /// units show it too.
    fn settle_leases(&self, entry: &Entry) {
        let Some(good) = &entry.last_good else {
            return;
        };
        self.leases.note_account(&self.kind, &good.reading);
        if self.board.is_ahead() {
            // The others would take the room for free. The next read that all know ends them.
            return;
        }
        let now = self.now();
        let regions = &good.reading.regions;
        let row_of = |place: &QuotaPlace| match &place.region {
            Some(region) => {
                let rows = regions.get(region)?;
                rows.find(&place.key, place.container.as_ref())
            }
            None if !matches!(self.coverage, Coverage::Region(_)) => {
                let mut shown = regions.values();
                shown.find_map(|rows| rows.find(&place.key, place.container.as_ref()))
            }
            None => None,
        };
        self.leases.settle(now, |place| {
            let row = row_of(place)?;
            Some(shown_until(row, row.observed_at.or(good.taken_at), now))
        });
    }

    /// Remembers a failed full read beside the last good answer.
    pub(super) fn store_failure(&self, failure: FailureRecord) {
        self.update(|before| Entry {
            last_failure: Some(failure.clone()),
            ..before.clone()
        });
    }

    /// Replaces the entry; `change` may run several times and sees what the last change left.
    fn update(&self, change: impl Fn(&Entry) -> Entry) -> Arc<Entry> {
        let mut latest = None;
        self.entry.rcu(|before| {
            let next = Arc::new(Entry {
                revision: before.revision + 1,
                ..change(before)
            });
            latest = Some(Arc::clone(&next));
            next
        });
        self.backend_changes.note();
        self.wake.notify_one();
        latest.expect("rcu runs its closure at least once")
    }

    /// Notes that what is said of the unit has changed, though its entry has not.
    pub(super) fn note_change(&self) {
        self.backend_changes.note();
    }

    fn write(&self, entry: &Entry) {
        let (Some(store), Some(good)) = (&self.context.store, &entry.last_good) else {
            return;
        };
        // Rows without a full read are no answer about a region that a restart could give.
        if let Some(taken_at) = good.taken_at {
            store.write(StoredSnapshot {
                key: self.key.clone(),
                reading: Arc::clone(&good.reading),
                taken_at: taken_at.wall,
            });
        }
    }
}

/// Whether a full reading that began later is known, or the same one.
fn has_newer(entry: &Entry, started: Moment) -> bool {
    let known = entry.taken_at();
    known.is_some_and(|known| !known.is_before(started))
}

fn is_another_account(known: &Reading, new: &Reading) -> bool {
    match (&known.account, &new.account) {
        (Some(known), Some(new)) => known != new,
        _ => false,
    }
}
