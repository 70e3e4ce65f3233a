//! The read model of a region: quotas, offers, the AWS protocol and metrics all read through it.

use std::sync::{Arc, OnceLock};

use crate::model::{
    AccountId, Amount, Capacity, CloudKind, Failure, FailureKind, FailureRecord, Freshness,
    LearnedNumbers, Leased, LimitSource, Location, Moment, Quota, QuotaIndex, QuotaKey, Reading,
    Region, Restriction, Snapshot, Unavailability, UnknownReason,
};

use super::entry::{Age, Entry};
use super::feedback::Lessons;
use super::unit::UnitState;

/// A region as it is known at one moment; a cheap handle.
#[derive(Clone, Debug)]
pub struct RegionView {
    unit: Arc<UnitState>,
    entry: Arc<Entry>,
    region: Region,
    now: Moment,
    /// Why the region has no rows though its unit was read: the account does not have it.
    absence: Option<Arc<FailureRecord>>,
    leased: OnceLock<Leased>,
    /// The lessons of launches that failed.
    lessons: Arc<Lessons>,
    /// The rows with the numbers that failed launches have stated, if any have.
    learned_rows: Option<Arc<Snapshot>>,
}

/// The version of what a region's answers say.
///
/// All that is kept of an answer compares this and nothing else. It is of this process; ETags are
/// digests of the body, so that replicas and restarts agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revision {
    entry: u64,
    freshness: Option<Freshness>,
    /// How many rows with an age of their own have expired.
    expired_rows: usize,
    /// How often what is leased has changed.
    leases: u64,
    /// The lessons of launches that failed.
    lessons: u64,
}

/// The last full answer about a region.
#[derive(Clone, Copy, Debug)]
pub struct RegionSnapshot<'a> {
    /// The quotas.
    pub quotas: &'a Snapshot,
    /// The failures that left something out.
    pub gaps: &'a [Failure],
    /// When they were read.
    pub taken_at: Moment,
    /// How old that is.
    pub age: Age,
}

impl RegionView {
    pub(super) fn new(unit: Arc<UnitState>, region: Region, now: Moment) -> Self {
        let entry = unit.entry();
        let absence = absence(&unit, &entry, &region);
        let mut view = Self {
            lessons: unit.launches.lessons(&region, now),
            entry,
            unit,
            region,
            now,
            absence: absence.map(Arc::new),
            leased: OnceLock::new(),
            learned_rows: None,
        };
        view.learned_rows = view.learned_rows();
        view
    }

    /// Lays what failed launches have stated over the rows that were read.
    fn learned_rows(&self) -> Option<Arc<Snapshot>> {
        let numbers = &self.lessons.numbers;
        let rows = self.region_rows().filter(|_| !numbers.is_empty())?;
        let learned = rows.with_learned(numbers, |row| self.is_expired(row));
        Some(Arc::new(learned))
    }

    /// Returns the backend and region.
    pub fn location(&self) -> Location {
        Location {
            backend: self.unit.key.backend.clone(),
            region: self.region.clone(),
        }
    }

    /// Returns the unit that the region is read with.
    pub(super) fn unit(&self) -> &UnitState {
        &self.unit
    }

    /// Returns the backend's name.
    pub fn backend(&self) -> &str {
        self.unit.key.backend.as_str()
    }

    /// Returns the region's name.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Returns the kind of cloud.
    pub fn kind(&self) -> &CloudKind {
        &self.unit.kind
    }

    /// Returns the account, where the cloud told it.
    pub fn account(&self) -> Option<&AccountId> {
        let good = self.entry.last_good.as_ref()?;
        good.reading.account.as_ref()
    }

    /// Returns the failure of the last full read, if it came after the last good one, or why the
    /// account does not have the region.
    pub fn last_failure(&self) -> Option<&FailureRecord> {
        let failure = self.entry.last_failure.as_ref();
        failure.or(self.absence.as_deref())
    }

    /// Whether the operator lists the region and the account does not have it.
    pub fn is_not_enabled(&self) -> bool {
        let failure = self.last_failure().filter(|_| self.age().is_none());
        failure.is_some_and(|record| record.failure.kind == FailureKind::NotEnabled)
    }

    /// Returns the last full answer about the region, if there ever was one.
    pub fn snapshot(&self) -> Option<RegionSnapshot<'_>> {
        let taken_at = self.entry.taken_at()?;
        Some(RegionSnapshot {
            quotas: self.rows()?,
            gaps: &self.reading()?.gaps,
            taken_at,
            age: self.age()?,
        })
    }

    /// Returns the age of the last full answer.
    pub fn age(&self) -> Option<Age> {
        let taken_at = self.entry.taken_at().filter(|_| self.absence.is_none())?;
        Some(Age::new(taken_at, self.now, self.unit.context.lifetimes))
    }

    /// Returns how far the last full answer may be relied on.
    pub fn freshness(&self) -> Option<Freshness> {
        Some(self.age()?.freshness)
    }

    /// Whether a verdict can rest on the region.
    pub fn is_usable(&self) -> bool {
        self.snapshot()
            .is_some_and(|known| known.age.freshness != Freshness::Expired)
    }

    /// Returns the amounts that are held for launches under way.
    pub fn leased(&self) -> &Leased {
        self.leased.get_or_init(|| {
            static EMPTY: Snapshot = Snapshot::EMPTY;
            let rows = self.rows().unwrap_or(&EMPTY);
            let observed_at = |row: &Quota| self.observed_at(row);
            let leases = &self.unit.leases;
            leases.leased(&self.region, rows, observed_at, self.now)
        })
    }

    /// Returns how much of a row's quota is held for launches under way.
    pub fn leased_of(&self, row: &Quota) -> Amount {
        self.leased().of(row)
    }

    /// Whether a lease lives that concerns the region, so that an answer about it may change at
    /// any moment.
    pub fn has_leases(&self) -> bool {
        self.unit.leases.concern(&self.region, self.now)
    }

    /// Returns what is left of a quota, or nothing if its limit or usage is unknown.
    pub fn available(&self, row: &Quota) -> Option<Amount> {
        row.available(self.leased_of(row))
    }

    /// Returns the quotas of the spot launches that belong to an on-demand quota.
    pub fn spot_counterparts(&self, on_demand: &QuotaKey) -> Vec<QuotaKey> {
        self.unit.source.spot_counterparts(on_demand)
    }

    /// Returns the version of what the region's answers say.
    pub fn revision(&self) -> Revision {
        let rows = self.rows().map_or(&[][..], Snapshot::quotas);
        let own_age = rows.iter().filter(|row| row.observed_at.is_some());
        Revision {
            entry: self.entry.revision,
            freshness: self.freshness(),
            expired_rows: own_age.filter(|row| self.is_expired(row)).count(),
            leases: self.unit.leases.changes(self.now),
            lessons: self.lessons.id,
        }
    }

    /// Returns when the revision changes by the clock alone.
    pub fn next_change(&self) -> Option<Moment> {
        let lifetimes = self.unit.context.lifetimes;
        let changes_in = |since: Moment| {
            let left = lifetimes.changes_in(since.age(self.now))?;
            Some(self.now.plus(left))
        };
        let rows = self.rows().map_or(&[][..], Snapshot::quotas);
        let rows = rows.iter().filter_map(|row| changes_in(row.observed_at?));
        let whole = self.entry.taken_at().and_then(changes_in);
        let leases = self.unit.leases.next_change(self.now);
        let all = rows.chain(whole).chain(leases);
        let all = all.chain(self.lessons.next_change);
        all.min_by_key(|moment| moment.since_start)
    }

    /// Returns the region's quotas, ready to be judged against.
    pub fn quota_index(&self) -> QuotaIndex {
        self.index_of(self.rows_or_names(), self.leased().clone())
    }

    /// Returns some of the region's rows, ready to be judged against.
    pub(super) fn index_of(&self, rows: Arc<Snapshot>, leased: Leased) -> QuotaIndex {
        QuotaIndex::with_reasons(rows, leased, self.missing(), |row| {
            match self.observed_at(row) {
                None => Some(UnknownReason::Unread),
                Some(_) if self.is_expired(row) => Some(UnknownReason::Expired),
                Some(_) => None,
            }
        })
    }

    /// Returns the rows that are known of the region; before anything is, those that are no more
    /// than names.
    pub(super) fn rows_or_names(&self) -> Arc<Snapshot> {
        let known = self.region_rows().cloned();
        known.unwrap_or_else(|| match self.missing() {
            UnknownReason::Unread => Arc::new(self.unit.source.placeholder_quotas(&self.region)),
            _ => Arc::default(),
        })
    }

    /// Returns why nothing is known of a quota that has no row.
    fn missing(&self) -> UnknownReason {
        match self.freshness() {
            None => UnknownReason::Unread,
            Some(Freshness::Expired) => UnknownReason::Expired,
            Some(Freshness::Fresh | Freshness::Stale) => UnknownReason::NotListed,
        }
    }

    /// Returns when the call that brought a row was sent.
    pub fn observed_at(&self, row: &Quota) -> Option<Moment> {
        let usage_is_older =
            |numbers: &LearnedNumbers| numbers.quota == row.key && numbers.usage.is_none();
        // A limit that a failed launch has stated makes the usage beside it no newer.
        if row.limit_source == LimitSource::Learned
            && self.lessons.numbers.iter().any(usage_is_older)
        {
            let read = self.reading()?.regions.get(&self.region)?;
            let read = read.find(&row.key, row.container.as_ref())?;
            return read.observed_at.or(self.entry.taken_at());
        }
        row.observed_at.or(self.entry.taken_at())
    }

    /// Returns the rows that are known of the region, whether or not it was ever read in full.
    pub(super) fn region_rows(&self) -> Option<&Arc<Snapshot>> {
        let learned = self.learned_rows.as_ref();
        learned.or_else(|| self.reading()?.regions.get(&self.region))
    }

    /// Returns what the cloud says it has room for now, as long as that can be relied on.
    pub(super) fn capacity(&self) -> &[Capacity] {
        let usable = self.reading().filter(|_| self.is_usable());
        let capacity = usable.and_then(|reading| reading.capacity.get(&self.region));
        capacity.map_or(&[], Vec::as_slice)
    }

    /// Returns the restrictions on launches in the region, as long as they can be relied on.
    pub(super) fn restrictions(&self) -> &[Restriction] {
        let usable = self.reading().filter(|_| self.is_usable());
        let restrictions = usable.and_then(|reading| reading.restrictions.get(&self.region));
        restrictions.map_or(&[], Vec::as_slice)
    }

    /// Returns the failures of launches that still hide offers of the region.
    pub(super) fn unavailable(&self) -> &[Unavailability] {
        &self.lessons.unavailable
    }

    /// Returns the moment of the view.
    pub(super) fn now(&self) -> Moment {
        self.now
    }

    fn rows(&self) -> Option<&Snapshot> {
        self.region_rows().map(|rows| &**rows)
    }

    fn reading(&self) -> Option<&Reading> {
        Some(&self.entry.last_good.as_ref()?.reading)
    }

    fn is_expired(&self, row: &Quota) -> bool {
        let lifetimes = self.unit.context.lifetimes;
        self.observed_at(row)
            .is_some_and(|then| lifetimes.judge(then.age(self.now)) == Freshness::Expired)
    }
}

/// Returns why a region has no rows though its unit was read, if it was listed by the operator.
fn absence(unit: &UnitState, entry: &Entry, region: &Region) -> Option<FailureRecord> {
    let taken_at = entry.taken_at()?;
    let reading = entry.full_reading()?;
    if reading.regions.contains_key(region) || !unit.lists(region.as_str()) {
        return None;
    }
    let detail = format!("the account has no quotas in {region}");
    let hint = format!("enable {region} for the account, or leave it out of `regions`");
    Some(FailureRecord {
        failure: Failure::new(FailureKind::NotEnabled, detail).with_hint(hint),
        at: taken_at,
        in_a_row: 1,
        next_try: taken_at.plus(unit.context.lifetimes.fresh_for),
    })
}
