//! Counts of the verdicts that were given, and the log line of a backend in shadow mode.

use crate::model::{BackendName, Decision, Outcome};
use crate::telemetry::Metrics;

/// The verdicts of one answer on one backend's offers.
#[derive(Debug, Default)]
pub(super) struct VerdictCounts(Vec<(&'static str, Option<&'static str>, u64)>);

impl VerdictCounts {
    pub(super) fn add(&mut self, outcome: Outcome, decision: Decision) {
        let verdict = outcome.as_str();
        let shadow = decision.shadow.map(|shadow| shadow.as_str());
        let same = |(known, would, _): &&mut (_, _, u64)| (*known, *would) == (verdict, shadow);
        match self.0.iter_mut().find(same) {
            Some((_, _, count)) => *count += 1,
            None => self.0.push((verdict, shadow, 1)),
        }
    }

    /// Counts them, once for the whole answer.
    pub(super) fn record(&self, metrics: &Metrics, backend: &BackendName) {
        for (verdict, shadow, count) in &self.0 {
            metrics.verdicts(backend, verdict, *shadow, *count);
        }
        let would = |word| -> u64 {
            let said = self.0.iter().filter(|(_, shadow, _)| *shadow == Some(word));
            said.map(|(_, _, count)| count).sum()
        };
        if self.0.iter().any(|(_, shadow, _)| shadow.is_some()) {
            tracing::info!(
                %backend,
                available = would("available"),
                unknown = would("unknown"),
                no_quota = would("no_quota"),
                not_available = would("not_available"),
                "shadow verdicts"
            );
        }
    }
}
