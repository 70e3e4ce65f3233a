//! The ages of single rows: which of them have to be read to be young enough.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{Moment, Quota, QuotaKey, Reading, Region, Scope, Snapshot, Usage};
use crate::source::QuotaRef;

use super::unit::UnitState;

impl UnitState {
    /// Returns those of these quotas whose row is older than `max_age` or not known at all.
    pub(super) fn rows_older_than(
        &self,
        region: &Region,
        keys: impl IntoIterator<Item = QuotaKey>,
        max_age: Duration,
        now: Moment,
    ) -> BTreeSet<QuotaRef> {
        let entry = self.entry();
        let good = entry.last_good.as_ref();
        let name = |key: &QuotaKey| QuotaRef {
            region: asked_region(good.map(|good| &*good.reading), region, key).clone(),
            key: key.clone(),
        };
        let is_young = |key: &QuotaKey| {
            let Some(good) = good else { return false };
            let Some(snapshot) = good.reading.regions.get(region) else {
                return false;
            };
            let mut rows = snapshot.quotas().iter().filter(|row| row.key == *key);
            let is_young = |observed: Moment| observed.age(now) <= max_age;
            // Of a limit that was read alone, the usage was not even asked for.
            let was_asked = |row: &Quota| {
                row.usage != Usage::Unknown || self.limits_alone.read_at(&name(key)).is_none()
            };
            rows.clone().next().is_some()
                && rows.all(|row| {
                    let observed_at = row.observed_at.or(good.taken_at);
                    observed_at.is_some_and(is_young) && was_asked(row)
                })
        };
        let old = keys.into_iter().filter(|key| !is_young(key));
        old.map(|key| name(&key)).collect()
    }
}

/// Returns the region by which a quota is asked for: the same one for a quota that is one for all
/// regions, so that callers in any of them share its read.
fn asked_region<'a>(known: Option<&'a Reading>, region: &'a Region, key: &QuotaKey) -> &'a Region {
    let is_global = |snapshot: &Snapshot| {
        let mut rows = snapshot.quotas().iter().filter(|row| row.key == *key);
        rows.clone().next().is_some() && rows.all(|row| row.scope == Scope::Global)
    };
    let known = known.filter(|known| known.regions.get(region).is_some_and(|own| is_global(own)));
    let mut shown = known.into_iter().flat_map(|known| &known.regions);
    let first = shown.find(|(_, snapshot)| is_global(snapshot));
    first.map_or(region, |(first, _)| first)
}
