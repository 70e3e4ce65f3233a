//! Limits that were read without the usage of their rows.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::model::{Moment, Reading, Usage};
use crate::source::QuotaRef;

/// When limits of a unit were read alone, since no usage could have changed a verdict: their rows
/// are as old as their usage.
#[derive(Debug, Default)]
pub(super) struct LimitsAlone(Mutex<BTreeMap<QuotaRef, Moment>>);

impl LimitsAlone {
    /// Notes which rows were read without the usage that they have, and when.
    pub(super) fn note(&self, rows: &Reading, started: Moment) {
        let mut limits_alone = self.0.lock();
        for (region, snapshot) in &rows.regions {
            for row in snapshot.quotas() {
                let name = QuotaRef {
                    region: region.clone(),
                    key: row.key.clone(),
                };
                if rows.incomplete.usage && row.usage == Usage::Unknown {
                    limits_alone.insert(name, row.observed_at.unwrap_or(started));
                } else {
                    limits_alone.remove(&name);
                }
            }
        }
    }

    /// Returns when a limit was read alone, later than the rest of its row.
    pub(super) fn read_at(&self, quota: &QuotaRef) -> Option<Moment> {
        self.0.lock().get(quota).copied()
    }

    /// Notes that everything was read.
    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}
