//! The room that a region's quotas leave, worked out once so that many demands can be judged.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Amount, Container, Leased, Limit, LimitSource, Quota, QuotaKey, QuotaState, Snapshot};

/// A region's quotas, ready to be judged against.
#[derive(Clone, Debug)]
pub struct QuotaIndex {
    snapshot: Arc<Snapshot>,
    leased: Leased,
    rooms: HashMap<QuotaKey, Room>,
    /// Why nothing is known of a quota that has no row.
    missing: UnknownReason,
}

/// Why nothing can be said about a demanded quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnknownReason {
    /// The region has not been read yet.
    Unread,
    /// The reading has expired.
    Expired,
    /// The quota is not among those that were read.
    NotListed,
    /// The cloud listed it without a limit.
    NoLimit,
    /// Only the cloud's published default is known.
    DefaultOnly,
    /// The limit is known, but not how much would be taken of it.
    NoAmount,
    /// No quota is known for the offer, or not all of them.
    Unmapped,
    /// The cloud rounds the usage, and the launch would fit at one end of what it may be only.
    UsageRounded,
}

/// The room that one quota leaves, over all containers that have a limit for it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// The row with the least left, among those that say what is left.
    pub(super) tightest: Option<Tightest>,
    /// The least that may be left, where usage is rounded; nothing if all is unlimited.
    pub(super) surely_left: Option<Amount>,
    /// The most that may be left, where usage is rounded; nothing if all is unlimited.
    pub(super) perhaps_left: Option<Amount>,
    /// The lowest limit, if there is any.
    pub(super) lowest_limit: Option<Amount>,
    /// Whether all usage that matters is known.
    pub(super) usage_known: bool,
    /// The first row that says nothing, and why it does not.
    pub(super) undecided: Option<(usize, UnknownReason)>,
    /// The first row that leaves the limit to the layer above it.
    inherited: Option<usize>,
}

/// The row of a quota that leaves the least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tightest {
    /// Its place in the snapshot.
    pub(super) row: usize,
    /// How much it leaves; nothing if it is unlimited.
    pub(super) left: Option<Amount>,
}

impl QuotaIndex {
    /// The index of rows of which `reason` says why nothing may rest on one, if nothing may; what
    /// has no row is unknown because it is `missing`.
    pub fn with_reasons(
        snapshot: Arc<Snapshot>,
        leased: Leased,
        missing: UnknownReason,
        reason: impl Fn(&Quota) -> Option<UnknownReason>,
    ) -> Self {
        let mut rooms: HashMap<QuotaKey, Room> = HashMap::new();
        for (place, row) in snapshot.quotas().iter().enumerate() {
            let room = rooms.entry(row.key.clone()).or_insert(Room::EMPTY);
            match reason(row) {
                Some(reason) => room.leave_undecided(place, reason),
                None => room.add(place, row, leased.of(row)),
            }
        }
        rooms.values_mut().for_each(Room::settle);
        Self {
            snapshot,
            leased,
            rooms,
            missing,
        }
    }

    /// The index of a region of which nothing was ever read, and whose rows are no more than names.
    pub fn unread(names: Arc<Snapshot>) -> Self {
        let reason = UnknownReason::Unread;
        Self::with_reasons(names, Leased::NOTHING, reason, |_| Some(reason))
    }

    /// The index of a snapshot that is too old to rest a verdict on.
    pub fn expired(snapshot: Arc<Snapshot>, leased: Leased) -> Self {
        let reason = UnknownReason::Expired;
        Self::with_reasons(snapshot, leased, reason, |_| Some(reason))
    }

    /// The index of a snapshot that holds.
    pub fn new(snapshot: Arc<Snapshot>, leased: Leased) -> Self {
        Self::with_reasons(snapshot, leased, UnknownReason::NotListed, |_| None)
    }

    /// The row at a place that a [`Binding`](super::Binding) names.
    pub fn row(&self, place: usize) -> Option<&Quota> {
        self.snapshot.quotas().get(place)
    }

    /// How much is held for launches under way of the quota of a row.
    pub fn leased(&self, row: &Quota) -> Amount {
        self.leased.of(row)
    }

    /// The room of a quota, or why nothing is known of it.
    pub(super) fn room(&self, key: &QuotaKey) -> Result<&Room, UnknownReason> {
        self.rooms.get(key).ok_or(self.missing)
    }

    /// The place of a quota's first row, whatever may rest on it.
    pub(super) fn first_row(&self, key: &QuotaKey) -> Option<usize> {
        let place = self.snapshot.quotas().partition_point(|row| row.key < *key);
        self.row(place)
            .is_some_and(|row| row.key == *key)
            .then_some(place)
    }

    /// Whose limit the row at a place is.
    pub(super) fn container(&self, place: Option<usize>) -> Option<&Container> {
        self.row(place?)?.container.as_ref()
    }
}

impl Room {
    const EMPTY: Self = Self {
        tightest: None,
        surely_left: None,
        perhaps_left: None,
        lowest_limit: None,
        usage_known: true,
        undecided: None,
        inherited: None,
    };

    fn leave_undecided(&mut self, row: usize, reason: UnknownReason) {
        self.undecided.get_or_insert((row, reason));
    }

    fn add(&mut self, row: usize, quota: &Quota, leased: Amount) {
        if quota.limit_source == LimitSource::Default {
            self.undecided
                .get_or_insert((row, UnknownReason::DefaultOnly));
            return;
        }
        let left = match quota.limit {
            Limit::Unknown => {
                self.leave_undecided(row, UnknownReason::NoLimit);
                return;
            }
            Limit::Inherited => {
                self.inherited.get_or_insert(row);
                return;
            }
            // However much is in use, there is room.
            Limit::Unlimited => None,
            Limit::Known(limit) => {
                let frozen = quota.state == QuotaState::Frozen;
                // Of what cannot be used at all, all is in use.
                let usage = quota.usage.known().or(frozen.then_some(limit));
                self.usage_known &= usage.is_some();
                self.lowest_limit = Some(self.lowest_limit.map_or(limit, |low| low.min(limit)));
                let left = |used| match frozen {
                    true => Amount::ZERO,
                    false => limit.saturating_sub(used).saturating_sub(leased),
                };
                if let Some(range) = quota.usage.range() {
                    lower(&mut self.surely_left, left(range.most));
                    lower(&mut self.perhaps_left, left(range.least));
                } else {
                    lower(&mut self.surely_left, left(Amount::ZERO));
                    lower(&mut self.perhaps_left, left(Amount::ZERO));
                }
                Some(left(usage.unwrap_or_default()))
            }
        };
        let is_tighter = match (self.tightest, left) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Tightest { left: None, .. }), Some(_)) => true,
            (
                Some(Tightest {
                    left: Some(least), ..
                }),
                Some(left),
            ) => left < least,
        };
        if is_tighter {
            self.tightest = Some(Tightest { row, left });
        }
    }

    /// All rows are added. Those that only inherit say nothing when nothing is above them.
    fn settle(&mut self) {
        if self.tightest.is_none() && self.undecided.is_none() {
            self.undecided = self.inherited.map(|row| (row, UnknownReason::NoLimit));
        }
    }
}

/// Lowers a bound to `amount`, if it is not lower already.
fn lower(bound: &mut Option<Amount>, amount: Amount) {
    *bound = Some(bound.map_or(amount, |bound| bound.min(amount)));
}
