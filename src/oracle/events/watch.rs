//! The regions as they were last seen, and what is different now.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::model::{Amount, BackendName, Limit, Moment, Quota, Region};
use crate::oracle::backend::BackendState;
use crate::oracle::view::{RegionView, Revision};

use super::event::RegionEvent;

/// All backends as they were last seen.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<BTreeMap<BackendName, Seen>>);

/// The regions of a backend as they were last seen.
#[derive(Debug, Default)]
struct Seen {
    changes: Option<u64>,
    /// With its revision then, which a view tells anew.
    regions: BTreeMap<Region, (RegionView, Revision)>,
    next_change: Option<Moment>,
}

impl Watch {
    /// Hands what has changed since the last look to `take`, in the order of looks; the first look
    /// shows nothing. Returns when something changes by the clock alone.
    pub(super) fn look(
        &self,
        backends: &BTreeMap<BackendName, Arc<BackendState>>,
        now: Moment,
        take: impl FnOnce(Vec<RegionEvent>),
    ) -> Option<Moment> {
        let mut all = self.0.lock();
        let mut found = Vec::new();
        for (name, backend) in backends {
            let seen = all.entry(name.clone()).or_default();
            let changes = Some(backend.changes());
            let is_due = seen.next_change.is_some_and(|next| !now.is_before(next));
            if seen.changes != changes || is_due {
                let is_first = seen.changes.is_none();
                let events = compare(backend, seen, now);
                found.extend(events.into_iter().filter(|_| !is_first));
                seen.changes = changes;
            }
        }
        if !found.is_empty() {
            take(found);
        }
        let next = all.values().filter_map(|seen| seen.next_change);
        next.min_by_key(|moment| moment.since_start)
    }
}

fn compare(backend: &BackendState, seen: &mut Seen, now: Moment) -> Vec<RegionEvent> {
    let mut found = Vec::new();
    let mut regions = BTreeMap::new();
    for (region, unit) in backend.regions() {
        let view = RegionView::new(Arc::clone(unit), region.clone(), now);
        // What is held is worked out now, since a later look compares with it.
        view.leased();
        let revision = view.revision();
        let before = seen.regions.get(&region);
        if before.is_none_or(|(_, before)| *before != revision) {
            found.push(RegionEvent {
                number: 0,
                backend: backend.backend.name.clone(),
                region: region.clone(),
                revision: BuildHasherDefault::<DefaultHasher>::default().hash_one(revision),
                quotas_freed: before.map_or_else(Vec::new, |(before, _)| freed(before, &view)),
            });
        }
        regions.insert(region, (view, revision));
    }
    let next = regions.values().filter_map(|(view, _)| view.next_change());
    seen.next_change = next.min_by_key(|moment| moment.since_start);
    seen.regions = regions;
    found
}

/// Returns the codes of the quotas that have more room than before.
fn freed(before: &RegionView, after: &RegionView) -> Vec<Arc<str>> {
    let (Some(old), Some(new)) = (before.region_rows(), after.region_rows()) else {
        return Vec::new();
    };
    let rows = new.quotas().iter().filter(|row| {
        let old = old.find(&row.key, row.container.as_ref());
        let old = old.and_then(|old| room(before, old));
        // A room that was not known may not have grown.
        match (old, room(after, row)) {
            (Some(old), Some(new)) => new.is_more_than(old),
            _ => false,
        }
    });
    let mut codes: Vec<Arc<str>> = rows.map(|row| Arc::clone(&row.key.code)).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The room of a quota.
enum Room {
    /// At most so much, where no usage is known.
    Left(Amount),
    Unlimited,
}

impl Room {
    fn is_more_than(&self, other: Self) -> bool {
        match (self, other) {
            (Self::Left(new), Self::Left(old)) => *new > old,
            (Self::Unlimited, Self::Left(_)) => true,
            (_, Self::Unlimited) => false,
        }
    }
}

fn room(view: &RegionView, row: &Quota) -> Option<Room> {
    match row.limit {
        Limit::Unlimited => Some(Room::Unlimited),
        Limit::Known(limit) => {
            let used = row.usage.known().unwrap_or(Amount::ZERO);
            let left = limit.saturating_sub(used);
            Some(Room::Left(left.saturating_sub(view.leased_of(row))))
        }
        Limit::Inherited | Limit::Unknown => None,
    }
}
