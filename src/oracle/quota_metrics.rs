//! The quotas in the metrics: each backend's series are written anew only when its quotas, or the
//! set of those that are exported, have changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::{Moment, Quota, QuotaKey};
use crate::telemetry::{QuotaMetrics, QuotaSample, QuotaSeries};

use super::view::RegionView;

/// The exported series of a backend's quotas.
#[derive(Debug, Default)]
pub(super) struct BackendSeries(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The quotas that verdicts rested on, and when they last did.
    used: HashMap<QuotaKey, Moment>,
    /// Counts the changes of `used` that change what is exported.
    used_changes: u64,
    latest: Option<Latest>,
}

#[derive(Debug)]
struct Latest {
    changes: u64,
    used_changes: u64,
    accelerators: Arc<BTreeSet<QuotaKey>>,
    series: Arc<QuotaSeries>,
}

/// A quota is exported as demanded for so long after a verdict on it.
const DEMANDED_FOR: Duration = Duration::from_secs(24 * 3600);

impl BackendSeries {
    /// Notes that verdicts rested on these quotas.
    pub(super) fn mark_used<'a>(&self, keys: impl IntoIterator<Item = &'a QuotaKey>, now: Moment) {
        let mut state = self.0.lock();
        for key in keys {
            if let Some(last) = state.used.get_mut(key) {
                *last = now;
            } else {
                state.used.insert(key.clone(), now);
                state.used_changes += 1;
            }
        }
    }

    /// Returns the series of the backend's quotas; `accelerators` are those that accelerator offers
    /// draw on.
    ///
    /// They are made of `views`, but for those kept since the backend counted as many `changes`.
    pub(super) fn series(
        &self,
        choice: QuotaMetrics,
        accelerators: impl FnOnce() -> Arc<BTreeSet<QuotaKey>>,
        changes: u64,
        views: impl FnOnce() -> Vec<RegionView>,
        now: Moment,
    ) -> Arc<QuotaSeries> {
        let accelerators = match choice {
            QuotaMetrics::Off => return Arc::default(),
            QuotaMetrics::All => Arc::default(),
            QuotaMetrics::Demanded => accelerators(),
        };
        let mut state = self.0.lock();
        let known = state.used.len();
        state.used.retain(|_, last| last.age(now) < DEMANDED_FOR);
        if state.used.len() < known {
            state.used_changes += 1;
        }
        if let Some(latest) = &state.latest
            && latest.changes == changes
            && (choice == QuotaMetrics::All || latest.used_changes == state.used_changes)
            && latest.accelerators == accelerators
        {
            return Arc::clone(&latest.series);
        }
        let is_exported = |key: &QuotaKey| {
            choice == QuotaMetrics::All
                || accelerators.contains(key)
                || state.used.contains_key(key)
        };
        let views = views();
        let samples = views.iter().flat_map(|view| samples(view, is_exported));
        let series = Arc::new(QuotaSeries::new(samples));
        state.latest = Some(Latest {
            changes,
            used_changes: state.used_changes,
            accelerators,
            series: Arc::clone(&series),
        });
        series
    }
}

fn samples(view: &RegionView, is_exported: impl Fn(&QuotaKey) -> bool) -> Vec<QuotaSample> {
    let Some(known) = view.snapshot() else {
        return Vec::new();
    };
    // Where several containers limit a quota, the least room is what counts.
    let rows = known.quotas.quotas().chunk_by(|a, b| a.key == b.key);
    let rows = rows.filter(|rows| is_exported(&rows[0].key));
    let least = |rows: &[Quota]| {
        let row = rows
            .iter()
            .min_by_key(|row| (view.available(row).is_none(), view.available(row)))?;
        Some(QuotaSample {
            location: view.location(),
            code: Arc::clone(&row.key.code),
            name: Arc::clone(&row.name),
            unit: row.unit.as_str(),
            market: row.market.as_str(),
            limit: row.limit.known().map(|amount| amount.get()),
            usage: row.usage.known().map(|amount| amount.get()),
            available: view.available(row).map(|amount| amount.get()),
        })
    };
    rows.filter_map(least).collect()
}
