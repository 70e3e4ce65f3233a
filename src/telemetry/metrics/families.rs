//! Every metric that the service exports, with its labels; the names are a public promise.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

pub(super) type Gauges<L> = Family<L, Gauge<f64, AtomicU64>>;
type Counters<L> = Family<L, Counter>;
/// For what is exported only where there is something to tell.
type NoLabels = Vec<(&'static str, &'static str)>;
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Debug)]
pub(super) struct Families {
    pub(super) snapshot_age: Gauges<RegionLabels>,
    pub(super) regions: Gauges<StateLabels>,
    pub(super) catalog_offers: Gauges<ProviderLabels>,
    pub(super) catalog_damaged_rows: Gauges<ProviderLabels>,
    pub(super) catalog_loaded_timestamp: Gauges<ProviderLabels>,
    pub(super) catalog_failing: Gauges<ProviderLabels>,
    pub(super) upstream_calls: Counters<CallLabels>,
    pub(super) upstream_wait: Histograms<BackendLabels>,
    pub(super) upstream_throttled: Counters<OperationLabels>,
    pub(super) fetches: Counters<FetchLabels>,
    pub(super) coalesced: Counters<BackendLabels>,
    pub(super) verdicts: Counters<VerdictLabels>,
    pub(super) leases: Gauges<BackendLabels>,
    pub(super) leased: Gauges<LeasedLabels>,
    pub(super) feedback: Counters<ClassLabels>,
    pub(super) outcomes: Counters<OutcomeLabels>,
    pub(super) http_requests: Counters<HttpLabels>,
    pub(super) http_duration: Histograms<HttpLabels>,
    pub(super) connections_refused: Counter,
    pub(super) replicas: Family<NoLabels, Gauge>,
    pub(super) shared_store_up: Family<NoLabels, Gauge>,
    pub(super) shared_store_round_trips: Family<NoLabels, Counter>,
}

impl Families {
    /// All of them at zero, in the order in which they are exported.
    pub(super) fn registered_in(registry: &mut Registry) -> Self {
        let mut to = Registrar(registry);
        Self {
            snapshot_age: to.add_seconds(
                "snapshot_age",
                "Age of a region's snapshot",
                Family::default(),
            ),
            regions: to.add("regions", "Regions of a backend by state"),
            catalog_offers: to.add("catalog_offers", "Offers in a cloud's catalog"),
            catalog_damaged_rows: to.add(
                "catalog_damaged_rows",
                "Rows of a cloud's catalog that were damaged and left out",
            ),
            catalog_loaded_timestamp: to.add_seconds(
                "catalog_loaded_timestamp",
                "When a cloud's catalog was loaded, in Unix time",
                Family::default(),
            ),
            catalog_failing: to.add(
                "catalog_failing",
                "1 while a cloud's catalog cannot be loaded and an older one is served, else 0",
            ),
            upstream_calls: to.add("upstream_calls", "Calls to a cloud by outcome"),
            upstream_wait: to.add_seconds(
                "upstream_wait",
                "Time that a call waited for the rate limit and a slot",
                Family::new_with_constructor(|| Histogram::new(WAIT_SECONDS)),
            ),
            upstream_throttled: to.add(
                "upstream_throttled",
                "Calls that a cloud refused for being too many",
            ),
            fetches: to.add("fetches", "Reads of a fetch unit by cause and outcome"),
            coalesced: to.add("coalesced", "Requests that joined a read already under way"),
            verdicts: to.add(
                "verdicts",
                "Verdicts given; shadow says what would have been said instead",
            ),
            leases: to.add("leases", "Leases that live"),
            leased: to.add("leased", "Amount of a quota that leases hold, in its unit"),
            feedback: to.add("feedback", "Reports on launches by class of cause"),
            outcomes: to.add(
                "outcomes",
                "Launches that were reported, by the verdict at that time and how they ended",
            ),
            http_requests: to.add("http_requests", "Requests answered"),
            http_duration: to.add_seconds(
                "http_request_duration",
                "Time to answer a request",
                Family::new_with_constructor(|| Histogram::new(HTTP_SECONDS)),
            ),
            connections_refused: to.add(
                "connections_refused",
                "Connections refused because all, or all of one peer, were taken",
            ),
            replicas: to.add("replicas", "Replicas that share a store, as it last said"),
            shared_store_up: to.add(
                "shared_store_up",
                "1 while the store that replicas share answers, 0 while it is away",
            ),
            shared_store_round_trips: to.add(
                "shared_store_round_trips",
                "Commands that went to the store that replicas share and back",
            ),
        }
    }
}

/// Answers come from memory in well under a millisecond, or wait for a cloud for seconds.
const HTTP_SECONDS: [f64; 10] = [
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0,
];

/// A read of one AWS region waits for four to five seconds in all at the documented rate.
const WAIT_SECONDS: [f64; 8] = [0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

struct Registrar<'r>(&'r mut Registry);

impl Registrar<'_> {
    fn add<F: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> F {
        let family = F::default();
        self.0.register(name, help, family.clone());
        family
    }

    fn add_seconds<F: Metric + Clone>(&mut self, name: &str, help: &str, family: F) -> F {
        self.0
            .register_with_unit(name, help, Unit::Seconds, family.clone());
        family
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RegionLabels {
    pub(super) backend: String,
    pub(super) region: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub(super) backend: String,
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ProviderLabels {
    pub(super) provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub(super) backend: String,
    pub(super) region: String,
    pub(super) operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) backend: String,
    pub(super) region: String,
    pub(super) operation: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BackendLabels {
    pub(super) backend: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FetchLabels {
    pub(super) backend: String,
    pub(super) cause: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VerdictLabels {
    pub(super) backend: String,
    pub(super) verdict: &'static str,
    pub(super) shadow: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LeasedLabels {
    pub(super) backend: String,
    pub(super) region: String,
    pub(super) code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ClassLabels {
    pub(super) backend: String,
    pub(super) class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) backend: String,
    pub(super) verdict: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct HttpLabels {
    pub(super) route: &'static str,
    pub(super) status: u16,
}
