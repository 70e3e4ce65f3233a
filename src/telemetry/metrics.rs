//! Every metric that the service exports, with typed labels; the names are a public promise.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::model::{BackendName, CloudKind, Failure, Location, Region};

type FloatGauge = Gauge<f64, AtomicU64>;
type HistogramFamily<L> = Family<L, Histogram, fn() -> Histogram>;

/// Why a fetch unit was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        match self {
            Self::Preload => "preload",
            Self::Refresh => "refresh",
            Self::Request => "request",
            Self::Verify => "verify",
        }
    }
}

/// The numbers of one quota at the moment of a scrape; what is unknown is not exported.
#[derive(Clone, Debug)]
pub struct QuotaSample {
    /// Where the quota holds.
    pub location: Location,
    /// The cloud's code.
    pub code: Arc<str>,
    /// What the numbers count.
    pub unit: &'static str,
    /// Which launches draw on it.
    pub market: &'static str,
    /// The limit.
    pub limit: Option<f64>,
    /// What is in use.
    pub usage: Option<f64>,
    /// What is left.
    pub available: Option<f64>,
}

/// The numbers of one region at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct SnapshotSample {
    /// The region.
    pub location: Location,
    /// How old its snapshot is.
    pub age: Duration,
}

/// The numbers of one cloud's catalog at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct CatalogSample {
    /// Which cloud.
    pub provider: CloudKind,
    /// How many offers it has.
    pub offers: usize,
    /// How many rows were damaged, and left out.
    pub damaged_rows: usize,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// Whether it is not what its source has now, because the last load failed.
    pub failing: bool,
}

/// All metrics of a process; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    /// Held while the gauges are rewritten and encoded, so that two scrapes do not mix.
    scrape: Mutex<()>,
    quota_limit: Family<QuotaLabels, FloatGauge>,
    quota_usage: Family<QuotaLabels, FloatGauge>,
    quota_available: Family<QuotaLabels, FloatGauge>,
    snapshot_age: Family<RegionLabels, FloatGauge>,
    catalog_offers: Family<ProviderLabels, FloatGauge>,
    catalog_damaged_rows: Family<ProviderLabels, FloatGauge>,
    catalog_loaded_timestamp: Family<ProviderLabels, FloatGauge>,
    catalog_failing: Family<ProviderLabels, FloatGauge>,
    upstream_calls: Family<CallLabels, Counter>,
    upstream_wait: HistogramFamily<BackendLabels>,
    upstream_throttled: Family<OperationLabels, Counter>,
    fetches: Family<FetchLabels, Counter>,
    coalesced: Family<BackendLabels, Counter>,
    verdicts: Family<VerdictLabels, Counter>,
    http_requests: Family<HttpLabels, Counter>,
    http_duration: HistogramFamily<HttpLabels>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuotaLabels {
    backend: String,
    region: String,
    code: Arc<str>,
    unit: &'static str,
    market: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RegionLabels {
    backend: String,
    region: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabels {
    provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    backend: String,
    region: String,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    backend: String,
    region: String,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BackendLabels {
    backend: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    backend: String,
    cause: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    backend: String,
    verdict: &'static str,
    shadow: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    route: &'static str,
    status: u16,
}

/// Answers come from memory in well under a millisecond, or wait for a cloud for seconds.
const HTTP_SECONDS: [f64; 10] = [
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0,
];

/// A read of one AWS region waits for four to five seconds in all at the documented rate.
const WAIT_SECONDS: [f64; 8] = [0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("quota_oracle");
        let mut inner = Inner {
            registry: Registry::default(),
            scrape: Mutex::new(()),
            quota_limit: Family::default(),
            quota_usage: Family::default(),
            quota_available: Family::default(),
            snapshot_age: Family::default(),
            catalog_offers: Family::default(),
            catalog_damaged_rows: Family::default(),
            catalog_loaded_timestamp: Family::default(),
            catalog_failing: Family::default(),
            upstream_calls: Family::default(),
            upstream_wait: Family::new_with_constructor(|| Histogram::new(WAIT_SECONDS)),
            upstream_throttled: Family::default(),
            fetches: Family::default(),
            coalesced: Family::default(),
            verdicts: Family::default(),
            http_requests: Family::default(),
            http_duration: Family::new_with_constructor(|| Histogram::new(HTTP_SECONDS)),
        };
        let r = &mut registry;
        r.register(
            "quota_limit",
            "Limit of a quota, in its unit",
            inner.quota_limit.clone(),
        );
        r.register(
            "quota_usage",
            "Usage of a quota, in its unit",
            inner.quota_usage.clone(),
        );
        r.register(
            "quota_available",
            "What is left of a quota, in its unit",
            inner.quota_available.clone(),
        );
        r.register_with_unit(
            "snapshot_age",
            "Age of a region's snapshot",
            Unit::Seconds,
            inner.snapshot_age.clone(),
        );
        r.register(
            "catalog_offers",
            "Offers in a cloud's catalog",
            inner.catalog_offers.clone(),
        );
        r.register(
            "catalog_damaged_rows",
            "Rows of a cloud's catalog that were damaged and left out",
            inner.catalog_damaged_rows.clone(),
        );
        r.register_with_unit(
            "catalog_loaded_timestamp",
            "When a cloud's catalog was loaded, in Unix time",
            Unit::Seconds,
            inner.catalog_loaded_timestamp.clone(),
        );
        r.register(
            "catalog_failing",
            "1 while a cloud's catalog cannot be loaded and an older one is served, else 0",
            inner.catalog_failing.clone(),
        );
        r.register(
            "upstream_calls",
            "Calls to a cloud by outcome",
            inner.upstream_calls.clone(),
        );
        r.register_with_unit(
            "upstream_wait",
            "Time that a call waited for the rate limit",
            Unit::Seconds,
            inner.upstream_wait.clone(),
        );
        r.register(
            "upstream_throttled",
            "Calls that a cloud refused for being too many",
            inner.upstream_throttled.clone(),
        );
        r.register(
            "fetches",
            "Reads of a fetch unit by cause and outcome",
            inner.fetches.clone(),
        );
        r.register(
            "coalesced",
            "Requests that joined a read already under way",
            inner.coalesced.clone(),
        );
        r.register(
            "verdicts",
            "Verdicts given; shadow says what would have been said instead",
            inner.verdicts.clone(),
        );
        r.register(
            "http_requests",
            "Requests answered",
            inner.http_requests.clone(),
        );
        r.register_with_unit(
            "http_request_duration",
            "Time to answer a request",
            Unit::Seconds,
            inner.http_duration.clone(),
        );
        inner.registry = registry;
        Self(Arc::new(inner))
    }

    /// The Prometheus text of all metrics, with these quotas, regions and catalogs as they are now.
    pub fn render(
        &self,
        quotas: impl IntoIterator<Item = QuotaSample>,
        snapshots: impl IntoIterator<Item = SnapshotSample>,
        catalogs: impl IntoIterator<Item = CatalogSample>,
    ) -> String {
        let inner = &self.0;
        let _scrape = inner.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        inner.quota_limit.clear();
        inner.quota_usage.clear();
        inner.quota_available.clear();
        inner.snapshot_age.clear();
        for sample in quotas {
            let labels = QuotaLabels {
                backend: sample.location.backend.to_string(),
                region: sample.location.region.to_string(),
                code: sample.code,
                unit: sample.unit,
                market: sample.market,
            };
            for (family, value) in [
                (&inner.quota_limit, sample.limit),
                (&inner.quota_usage, sample.usage),
                (&inner.quota_available, sample.available),
            ] {
                if let Some(value) = value {
                    family.get_or_create(&labels).set(value);
                }
            }
        }
        for sample in snapshots {
            let labels = RegionLabels {
                backend: sample.location.backend.to_string(),
                region: sample.location.region.to_string(),
            };
            inner
                .snapshot_age
                .get_or_create(&labels)
                .set(sample.age.as_secs_f64());
        }
        for sample in catalogs {
            let labels = ProviderLabels {
                provider: sample.provider.to_string(),
            };
            let set = |family: &Family<ProviderLabels, FloatGauge>, value| {
                family.get_or_create(&labels).set(value);
            };
            set(&inner.catalog_offers, sample.offers as f64);
            set(&inner.catalog_damaged_rows, sample.damaged_rows as f64);
            let loaded_at = sample.loaded_at.as_duration().as_secs_f64();
            set(&inner.catalog_loaded_timestamp, loaded_at);
            set(&inner.catalog_failing, f64::from(sample.failing));
        }
        let mut text = String::new();
        encode(&mut text, &inner.registry).expect("writing to a string does not fail");
        text
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
        self.0.upstream_calls.get_or_create(&labels).inc();
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
        self.0.upstream_throttled.get_or_create(&labels).inc();
    }

    /// A call has waited this long for the rate limit.
    pub fn upstream_wait(&self, backend: &BackendName, wait: Duration) {
        let labels = BackendLabels {
            backend: backend.to_string(),
        };
        self.0
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
        self.0.fetches.get_or_create(&labels).inc();
    }

    /// A request has joined a read that was already under way.
    pub fn coalesced(&self, backend: &BackendName) {
        let labels = BackendLabels {
            backend: backend.to_string(),
        };
        self.0.coalesced.get_or_create(&labels).inc();
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
        self.0.verdicts.get_or_create(&labels).inc_by(count);
    }

    /// What counts requests on a route with answers of a status.
    pub fn http_requests(&self, route: &'static str, status: u16) -> HttpRequests {
        let labels = HttpLabels { route, status };
        HttpRequests {
            requests: self.0.http_requests.get_or_create_owned(&labels),
            duration: self.0.http_duration.get_or_create_owned(&labels),
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
    fn what_is_unknown_is_not_exported_and_what_is_gone_disappears() {
        let metrics = Metrics::new();
        let sample = |usage| QuotaSample {
            location: Location {
                backend: "aws".into(),
                region: "us-east-1".into(),
            },
            code: "L-417A185B".into(),
            unit: "vcpu",
            market: "on_demand",
            limit: Some(192.0),
            usage,
            available: None,
        };
        let labels = r#"{backend="aws",region="us-east-1",code="L-417A185B",unit="vcpu",market="on_demand"}"#;
        let text = metrics.render([sample(None)], [], []);
        assert!(text.contains(&format!("quota_oracle_quota_limit{labels} 192")));
        assert!(!text.contains("quota_oracle_quota_usage{"));
        assert!(
            !metrics
                .render([], [], [])
                .contains("quota_oracle_quota_limit{")
        );
    }

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
        let text = metrics.render([], [], []);
        let line = r#"quota_oracle_upstream_calls_total{backend="aws",region="us-east-1",operation="GetServiceQuota",outcome="throttled"} 1"#;
        assert!(text.contains(line), "{text}");
    }
}
