//! Metrics that are counted as things happen.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use strum::IntoStaticStr;

use crate::model::{BackendName, Failure, Region};

use super::Metrics;
use super::families::{
    BackendLabels, CallLabels, ClassLabels, FetchLabels, HttpLabels, OperationLabels,
    OutcomeLabels, VerdictLabels,
};

/// Why a fetch unit was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Cause {
    /// At start, before anybody asked.
    Preload,
    /// To keep it fresh.
    Refresh,
    /// Somebody asked and nothing usable was known, or wants it newer.
    Request,
    /// A launch is about to happen.
    Verify,
}

impl Cause {
    /// The label's word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Metrics {
    /// Sets what is known of the store that replicas share.
    pub fn set_shared_store(&self, is_up: bool, replicas: u32, round_trips: u64) {
        let families = &self.0.families;
        families
            .replicas
            .get_or_create(&Vec::new())
            .set(replicas.into());
        families
            .shared_store_up
            .get_or_create(&Vec::new())
            .set(is_up.into());
        let counter = families.shared_store_round_trips.get_or_create(&Vec::new());
        counter.inner().fetch_max(round_trips, Ordering::Relaxed);
    }

    /// One call to a cloud has ended.
    pub fn upstream_call<T>(
        &self,
        backend: &BackendName,
        region: &Region,
        operation: &'static str,
        result: &Result<T, Failure>,
    ) {
        self.count_call(backend, region, operation, outcome(result));
    }

    /// A call to a cloud was under way when nobody wanted its answer any more.
    pub fn upstream_abandoned(
        &self,
        backend: &BackendName,
        region: &Region,
        operation: &'static str,
    ) {
        self.count_call(backend, region, operation, "abandoned");
    }

    fn count_call(
        &self,
        backend: &BackendName,
        region: &Region,
        operation: &'static str,
        outcome: &'static str,
    ) {
        let labels = CallLabels {
            backend: backend.to_string(),
            region: region.to_string(),
            operation,
            outcome,
        };
        self.0.families.upstream_calls.get_or_create(&labels).inc();
    }

    /// A cloud has refused a call for being one too many.
    pub fn upstream_throttled(
        &self,
        backend: &BackendName,
        region: &Region,
        operation: &'static str,
    ) {
        let labels = OperationLabels {
            backend: backend.to_string(),
            region: region.to_string(),
            operation,
        };
        self.0
            .families
            .upstream_throttled
            .get_or_create(&labels)
            .inc();
    }

    /// A call has waited this long for the rate limit.
    pub fn upstream_wait(&self, backend: &BackendName, wait: Duration) {
        let labels = BackendLabels {
            backend: backend.to_string(),
        };
        self.0
            .families
            .upstream_wait
            .get_or_create(&labels)
            .observe(wait.as_secs_f64());
    }

    /// A read of a fetch unit has ended.
    pub fn fetch<T>(&self, backend: &BackendName, cause: Cause, result: &Result<T, Failure>) {
        let labels = FetchLabels {
            backend: backend.to_string(),
            cause: cause.as_str(),
            outcome: outcome(result),
        };
        self.0.families.fetches.get_or_create(&labels).inc();
    }

    /// A request has joined a read that was already under way.
    pub fn coalesced(&self, backend: &BackendName) {
        let labels = BackendLabels {
            backend: backend.to_string(),
        };
        self.0.families.coalesced.get_or_create(&labels).inc();
    }

    /// So many verdicts of one kind were given; `shadow` is what would have been said, if the
    /// backend only watches.
    pub fn verdicts(
        &self,
        backend: &BackendName,
        verdict: &'static str,
        shadow: Option<&'static str>,
        count: u64,
    ) {
        let labels = VerdictLabels {
            backend: backend.to_string(),
            verdict,
            shadow: shadow.unwrap_or("off"),
        };
        self.0
            .families
            .verdicts
            .get_or_create(&labels)
            .inc_by(count);
    }

    /// A connection was refused because there were too many.
    pub fn connection_refused(&self) {
        self.0.families.connections_refused.inc();
    }

    /// A launch was reported; `class` is the kind of cause if it failed, else `launched`.
    pub fn feedback(&self, backend: &BackendName, class: &'static str) {
        let labels = ClassLabels {
            backend: backend.to_string(),
            class,
        };
        self.0.families.feedback.get_or_create(&labels).inc();
    }

    /// A launch with this verdict has ended like this.
    pub fn outcome(&self, backend: &BackendName, verdict: &'static str, outcome: &'static str) {
        let labels = OutcomeLabels {
            backend: backend.to_string(),
            verdict,
            outcome,
        };
        self.0.families.outcomes.get_or_create(&labels).inc();
    }

    /// The counters of requests on a route with answers of a status.
    pub fn http_requests(&self, route: &'static str, status: u16) -> HttpRequests {
        let labels = HttpLabels { route, status };
        HttpRequests {
            requests: self.0.families.http_requests.get_or_create_owned(&labels),
            duration: self.0.families.http_duration.get_or_create_owned(&labels),
        }
    }
}

/// Counts requests on one route with answers of one status.
#[derive(Clone, Debug)]
pub struct HttpRequests {
    requests: Counter,
    duration: Histogram,
}

impl HttpRequests {
    /// A request was answered.
    pub fn answered(&self, took: Duration) {
        self.requests.inc();
        self.duration.observe(took.as_secs_f64());
    }
}

fn outcome<T>(result: &Result<T, Failure>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(failure) => failure.kind.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureKind;

    #[test]
    fn calls_are_counted_by_outcome() {
        let metrics = Metrics::new();
        let refused: Result<(), _> = Err(Failure::new(FailureKind::Throttled, "Rate exceeded"));
        metrics.upstream_call(
            &"aws".into(),
            &"us-east-1".into(),
            "GetServiceQuota",
            &refused,
        );
        let text = metrics.render([].iter(), [], [], []);
        let line = r#"quota_oracle_upstream_calls_total{backend="aws",region="us-east-1",operation="GetServiceQuota",outcome="throttled"} 1"#;
        assert!(text.contains(line), "{text}");
    }
}
