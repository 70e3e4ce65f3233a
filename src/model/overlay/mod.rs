//! Laying one reading over another: rows that a read left out, and rows that were read later.
//!
//! A row without `observed_at` was observed when its snapshot was taken. Every row that comes to
//! stand in another snapshot than its own is given the moment explicitly, so that its age never
//! changes by being moved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Container, Incomplete, Limit, Moment, Quota, QuotaKey, Reading, Region, Scope, Snapshot, Usage,
};

impl Reading {
    /// Completes the reading by the limits, usage and restrictions that a failure left out and that
    /// `last`, taken at `last_taken_at`, has: a failure never erases a good answer.
    ///
    /// Restrictions change a few times a year, so the last ones hold until others are read.
    /// A row that is carried over keeps the moment at which it was really observed, and is usable
    /// no longer than any other answer: `usable_for` from then on. Rows of regions that this
    /// reading does not cover are not carried over. `last` must be of the same account.
    #[must_use]
    pub fn carry_over(
        mut self,
        last: &Self,
        last_taken_at: Moment,
        now: Moment,
        usable_for: Duration,
    ) -> Self {
        if self.incomplete.restrictions {
            for (region, known) in &last.restrictions {
                if self.regions.contains_key(region) && !self.restrictions.contains_key(region) {
                    self.restrictions.insert(region.clone(), known.clone());
                }
            }
        }
        if !self.incomplete.limits && !self.incomplete.usage {
            return self;
        }
        for (region, snapshot) in &mut self.regions {
            let Some(known) = last.regions.get(region) else {
                continue;
            };
            let mut rows = by_id(snapshot);
            for old in known.quotas() {
                let carried = Carried {
                    old,
                    observed_at: old.observed_at.unwrap_or(last_taken_at),
                    now,
                    usable_for,
                };
                let new = rows.remove(&id(old));
                let lacks = |limit: bool, usage: bool| {
                    (
                        limit && self.incomplete.limits,
                        usage && self.incomplete.usage,
                    )
                };
                let lacking = match &new {
                    Some(new) => lacks(new.limit == Limit::Unknown, new.usage == Usage::Unknown),
                    None => lacks(true, true),
                };
                if let Some(row) = carried.complete(new, lacking) {
                    rows.insert(id(old), row);
                }
            }
            *snapshot = Arc::new(Snapshot::new(rows.into_values().collect()));
        }
        self
    }

    /// Completes rows that were read without their usage by the usage that `last`, taken at
    /// `last_taken_at`, has: such a row is as old as its usage.
    #[must_use]
    pub fn with_usage_of(
        self,
        last: &Self,
        last_taken_at: Moment,
        now: Moment,
        usable_for: Duration,
    ) -> Self {
        let read = self.regions.clone();
        let mut complete = Self {
            incomplete: Incomplete {
                usage: true,
                ..Incomplete::default()
            },
            ..self
        }
        .carry_over(last, last_taken_at, now, usable_for);
        for (region, snapshot) in &mut complete.regions {
            let (Some(read), Some(known)) = (read.get(region), last.regions.get(region)) else {
                continue;
            };
            let with_age = |row: &Quota| {
                let container = row.container.as_ref();
                let had_usage = read
                    .find(&row.key, container)
                    .is_some_and(|read| read.usage != Usage::Unknown);
                let old = known.find(&row.key, container);
                match old.filter(|_| !had_usage && row.usage != Usage::Unknown) {
                    Some(old) => Quota {
                        observed_at: Some(old.observed_at.unwrap_or(last_taken_at)),
                        ..row.clone()
                    },
                    None => row.clone(),
                }
            };
            let rows = snapshot.quotas().iter().map(with_age);
            *snapshot = Arc::new(Snapshot::new(rows.collect()));
        }
        complete
    }

    /// Lays the rows of `newer`, taken at `newer_taken_at`, over this reading, taken at `taken_at`.
    ///
    /// A row replaces the one of the same quota and container in its region if it was not observed
    /// earlier; one of global scope replaces it in every region that shows it. Rows are added and
    /// never removed, because a read of single rows says nothing about others. What belongs to a
    /// full read (restrictions, capacity, gaps) stays as it is. Both must be of the same account.
    #[must_use]
    pub fn merge(mut self, taken_at: Moment, newer: &Self, newer_taken_at: Moment) -> Self {
        self.account = self.account.or_else(|| newer.account.clone());
        let lay_over = |into: &mut BTreeMap<Region, Arc<Snapshot>>, everywhere: bool| {
            for (region, snapshot) in &newer.regions {
                for (target, rows) in &mut *into {
                    let belongs = |row: &&Quota| match everywhere {
                        true => is_shown_in(row, rows),
                        false => region == target,
                    };
                    let laid_over: Vec<_> = snapshot
                        .quotas()
                        .iter()
                        .filter(belongs)
                        .map(|row| Quota {
                            observed_at: Some(row.observed_at.unwrap_or(newer_taken_at)),
                            ..row.clone()
                        })
                        .collect();
                    if !laid_over.is_empty() {
                        *rows = Arc::new(rows.with_newer(laid_over, taken_at));
                    }
                }
            }
        };
        let with_rows = newer
            .regions
            .iter()
            .filter(|(_, snapshot)| !snapshot.quotas().is_empty());
        for (region, _) in with_rows {
            self.regions.entry(region.clone()).or_default();
        }
        // Each region's own rows first, so that a global row meets all that show it.
        lay_over(&mut self.regions, false);
        lay_over(&mut self.regions, true);
        self
    }

    /// Lets every row that was observed during the read that began at `taken_at` count as observed
    /// when it began; rows that rest on earlier calls keep their moment.
    #[must_use]
    pub fn of_one_moment(mut self, taken_at: Moment) -> Self {
        let is_later = |row: &Quota| row.observed_at.is_some_and(|at| !at.is_before(taken_at));
        for snapshot in self.regions.values_mut() {
            if snapshot.quotas().iter().any(is_later) {
                let rows = snapshot.quotas().iter().map(|row| Quota {
                    observed_at: row.observed_at.filter(|at| at.is_before(taken_at)),
                    ..row.clone()
                });
                *snapshot = Arc::new(Snapshot::new(rows.collect()));
            }
        }
        self
    }

    /// Returns the rows that were observed later than `moment`, with nothing else.
    ///
    /// A full read that was under way while rows were verified is completed by these of the
    /// reading before it.
    #[must_use]
    pub fn observed_after(&self, moment: Moment) -> Self {
        let is_later = |row: &&Quota| row.observed_at.is_some_and(|at| moment.is_before(at));
        let later = |snapshot: &Snapshot| {
            let rows: Vec<_> = snapshot.quotas().iter().filter(is_later).cloned().collect();
            (!rows.is_empty()).then(|| Arc::new(Snapshot::new(rows)))
        };
        let regions = self.regions.iter();
        Self {
            account: self.account.clone(),
            regions: regions
                .filter_map(|(region, snapshot)| Some((region.clone(), later(snapshot)?)))
                .collect(),
            ..Self::default()
        }
    }
}

/// Whether a row is of global scope and among those that a region shows.
fn is_shown_in(row: &Quota, rows: &Snapshot) -> bool {
    let shown = rows.find(&row.key, row.container.as_ref());
    row.scope == Scope::Global && shown.is_some_and(|shown| shown.scope == Scope::Global)
}

/// A row of the last reading, for completing the one that was read now.
struct Carried<'a> {
    old: &'a Quota,
    observed_at: Moment,
    now: Moment,
    usable_for: Duration,
}

impl Carried<'_> {
    /// Completes the row by the limit, the usage or both, as it lacks them.
    fn complete(&self, new: Option<Quota>, (limit, usage): (bool, bool)) -> Option<Quota> {
        let is_usable = self.observed_at.age(self.now) < self.usable_for;
        let old_usage = if usage { self.usage() } else { Usage::Unknown };
        let new_usage = new.as_ref().map_or(Usage::Unknown, |new| new.usage);
        let carries_usage = new_usage == Usage::Unknown && old_usage != Usage::Unknown;
        let usage = if carries_usage { old_usage } else { new_usage };
        if limit && self.old.limit != Limit::Unknown && is_usable {
            return Some(Quota {
                usage,
                observed_at: Some(self.observed_at),
                ..self.old.clone()
            });
        }
        let mut row = new?;
        row.usage = usage;
        // A usage that the cloud dated has its age with it; any other is as old as its row.
        if carries_usage && matches!(usage, Usage::Known { as_of: None, .. }) {
            row.observed_at = Some(self.observed_at);
        }
        Some(row)
    }

    /// Returns the old usage while it is young enough.
    fn usage(&self) -> Usage {
        let usage = self.old.usage;
        let age = match usage {
            Usage::Known {
                as_of: Some(as_of), ..
            } => self.now.wall.duration_since(as_of).unsigned_abs(),
            Usage::Known { as_of: None, .. } => self.observed_at.age(self.now),
            // One that was too old then is no younger now.
            Usage::Outdated { .. } | Usage::Unknown => return usage,
        };
        if age < self.usable_for {
            usage
        } else {
            Usage::Unknown
        }
    }
}

impl Snapshot {
    /// Returns the snapshot with these rows, each in place of one that was not observed later.
    fn with_newer(&self, newer: Vec<Quota>, taken_at: Moment) -> Self {
        let mut rows = by_id(self);
        let observed_at = |row: &Quota| row.observed_at.unwrap_or(taken_at);
        for row in newer {
            let known = rows.get(&id(&row));
            if known.is_none_or(|known| !observed_at(&row).is_before(observed_at(known))) {
                rows.insert(id(&row), row);
            }
        }
        Self::new(rows.into_values().collect())
    }
}

/// The identity of a row within a region.
type RowId = (QuotaKey, Option<Container>);

fn id(row: &Quota) -> RowId {
    (row.key.clone(), row.container.clone())
}

fn by_id(snapshot: &Snapshot) -> BTreeMap<RowId, Quota> {
    let rows = snapshot.quotas().iter();
    rows.map(|row| (id(row), row.clone())).collect()
}

#[cfg(test)]
mod tests;
