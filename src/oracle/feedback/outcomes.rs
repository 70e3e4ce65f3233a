//! The ends of launches, beside the verdicts on them.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::feedback::{Class, Level, Meaning};
use crate::model::{BackendName, Demand, LaunchOutcome, Market, Moment, Region, judge, reason};
use crate::oracle::view::RegionView;
use crate::telemetry::Metrics;

/// The newest launches of a backend that ended otherwise than their verdict had it.
#[derive(Debug, Default)]
pub(in crate::oracle) struct Contradictions(Mutex<VecDeque<Contradiction>>);

/// A launch that ended otherwise than its verdict had it: one that should fit met a quota, or one
/// that should not came up.
#[derive(Clone, Debug, PartialEq)]
pub struct Contradiction {
    /// When it was reported.
    pub at: Moment,
    /// Where it was launched.
    pub region: Region,
    /// The type.
    pub instance_type: Arc<str>,
    /// The market it was paid in.
    pub market: Market,
    /// The verdict at that time.
    pub verdict: &'static str,
    /// Its end.
    pub outcome: LaunchOutcome,
    /// The kind of cause, if it failed.
    pub class: Option<Class>,
    /// The sentence that explained the verdict, and the quota that was met.
    pub detail: String,
}

/// A launch that has ended, to be compared with the verdict on it.
pub(super) struct Compared<'a> {
    pub(super) view: &'a RegionView,
    pub(super) instance_type: Arc<str>,
    pub(super) market: Market,
    pub(super) demand: &'a Demand,
    pub(super) count: u32,
    /// Whether there was room when its lease was granted, if it had one.
    pub(super) was_backed: Option<bool>,
    pub(super) outcome: LaunchOutcome,
    pub(super) meaning: Option<&'a Meaning>,
}

/// So many are kept of each backend.
const MOST: usize = 20;

impl Contradictions {
    /// Counts the outcome by its verdict, and keeps it if the two contradict each other.
    pub(super) fn compare(&self, metrics: &Metrics, backend: &BackendName, launch: Compared<'_>) {
        let quotas = launch.view.quota_index();
        let verdict = judge(launch.demand, launch.count, &quotas);
        // The room that the lease of a launch held is in the way of a verdict now, and was not then.
        let said = match launch.was_backed {
            Some(true) => "fits",
            Some(false) => "unknown",
            None => verdict.outcome.as_str(),
        };
        metrics.outcome(backend, said, launch.outcome.as_str());
        let class = launch.meaning.map(|meaning| meaning.class);
        // Disks, addresses and other services' quotas are no part of the verdict on a machine.
        let met_a_quota = launch.meaning.is_some_and(|meaning| {
            let level = meaning.reach.level;
            meaning.class == Class::Quota && !matches!(level, Level::Resource | Level::OtherService)
        });
        let contradicts = match said {
            "fits" => met_a_quota,
            "short" => launch.outcome == LaunchOutcome::Launched,
            _ => false,
        };
        if !contradicts {
            return;
        }
        let mut detail = reason(&verdict, launch.demand, &quotas, launch.view.region());
        if let Some(quota) = launch.meaning.and_then(|meaning| meaning.quota.as_ref()) {
            detail.push_str(&format!("; the launch met {}", quota.name));
        }
        let mut kept = self.0.lock();
        kept.truncate(MOST - 1);
        kept.push_front(Contradiction {
            at: launch.view.now(),
            region: launch.view.region().clone(),
            instance_type: launch.instance_type,
            market: launch.market,
            verdict: said,
            outcome: launch.outcome,
            class,
            detail,
        });
    }

    /// Returns them, the newest first.
    pub(in crate::oracle) fn all(&self) -> Vec<Contradiction> {
        self.0.lock().iter().cloned().collect()
    }
}
