//! What a read could not tell for now, kept from the last one: a failure never erases a good
//! answer. What is kept stays usable no longer than any other answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Container, Limit, Moment, Quota, QuotaKey, Reading, Region, Snapshot, UnitKey, Usage,
};
use crate::store::Good;

/// The limits that are kept, and when they were told.
///
/// Not on disk: after a restart a kept limit counts as told when the snapshot was taken.
#[derive(Debug, Default)]
pub(super) struct CarryOver(Mutex<HashMap<UnitKey, Told>>);

type Told = BTreeMap<(Region, QuotaKey, Option<Container>), Moment>;

impl CarryOver {
    /// The reading with what only failed for now as `last` had it, for as long as it is usable.
    pub(super) fn complete(
        &self,
        key: &UnitKey,
        mut reading: Reading,
        last: Option<&Good>,
        now: Moment,
        usable_for: Duration,
    ) -> Reading {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told_before = all.remove(key).unwrap_or_default();
        let incomplete = reading.incomplete;
        let (Some(last), true) = (last, incomplete.limits || incomplete.usage) else {
            return reading;
        };
        let mut told = Told::new();
        for (region, snapshot) in &mut reading.regions {
            let Some(known) = last.reading.regions.get(region) else {
                continue;
            };
            let mut quotas = snapshot.quotas().to_vec();
            for old in known.quotas() {
                let is_old =
                    |new: &&mut Quota| new.key == old.key && new.container == old.container;
                let new = quotas.iter_mut().find(is_old);
                let usage = match &new {
                    Some(new) if new.usage != Usage::Unknown => new.usage,
                    _ if incomplete.usage => usable(old.usage, now.wall, usable_for),
                    _ => Usage::Unknown,
                };
                let is_told = !incomplete.limits
                    || new.as_ref().is_some_and(|new| new.limit != Limit::Unknown);
                let id = (region.clone(), old.key.clone(), old.container.clone());
                let told_at = told_before.get(&id).copied().unwrap_or(last.taken_at);
                if !is_told && old.limit != Limit::Unknown && told_at.age(now) < usable_for {
                    told.insert(id, told_at);
                    let kept = Quota {
                        usage,
                        ..old.clone()
                    };
                    match new {
                        Some(new) => *new = kept,
                        None => quotas.push(kept),
                    }
                } else if let Some(new) = new {
                    new.usage = usage;
                }
            }
            *snapshot = Arc::new(Snapshot::new(quotas));
        }
        if !told.is_empty() {
            all.insert(key.clone(), told);
        }
        reading
    }
}

/// The usage, unless it is too old or nobody knows of when it is.
fn usable(usage: Usage, now: Timestamp, usable_for: Duration) -> Usage {
    match usage {
        Usage::Known {
            as_of: Some(as_of), ..
        } if now.duration_since(as_of).unsigned_abs() < usable_for => usage,
        _ => Usage::Unknown,
    }
}
