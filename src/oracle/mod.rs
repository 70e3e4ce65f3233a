//! What we answer: questions about quotas, from what the cache knows and the clouds say.
//!
//! A question is answered from memory whenever anything is known. Only a question about which
//! nothing is known, or that asks for a newer answer, waits for a read, and never past its
//! deadline. Reads are coalesced (`fetch`) and repeated in the background (`refresh`).

mod backend;
mod backoff;
mod carry_over;
mod fetch;
mod offers;
mod quotas;
mod refresh;
mod settings;
mod status;
mod supervise;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::model::{BackendName, CloudKind, Leased, Lifetimes, Location};
use crate::source::QuotaSource;
use crate::store::Cache;
use crate::telemetry::Metrics;

pub use crate::catalog::{Filter, NameOf, Offer, Provider, Shape};
pub use backend::Backend;
pub use offers::{
    Assessment, Assessments, BindingQuota, Cursor, CustomGpu, CustomOffer, EvaluatedOffer,
    OfferPage, OfferQuestion, OfferedBackend, Sort, UnmatchedFilter,
};
pub use quotas::{Glance, Known, QuotaError, RegionView, Standing};
pub use settings::{BackendSettings, Preload};
pub use status::{BackendStatus, Readiness, RegionStatus, Status};
pub use supervise::supervise;

use backend::BackendState;
use fetch::Fetcher;

/// Everything that can be answered; clones share it.
#[derive(Clone, Debug)]
pub struct Oracle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backends: BTreeMap<BackendName, Arc<BackendState>>,
    catalog: Arc<Catalog>,
    cache: Cache,
    lifetimes: Lifetimes,
    clock: Clock,
    metrics: Metrics,
    fetcher: Fetcher,
}

/// The least that one read of a fetch unit may take in all.
///
/// An AWS region is 21 calls at 4 a second with 4 at once, about five seconds; a throttled start
/// needs some retries on top. Callers have their own, shorter deadlines.
const SHORTEST_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How long one read of this source may take in all, retries and waiting for the rate included:
/// twice what it needs when nothing goes wrong.
pub fn read_timeout(source: &dyn QuotaSource) -> Duration {
    let twice = source.estimated_duration().saturating_mul(2);
    twice.max(SHORTEST_READ_TIMEOUT)
}

impl Oracle {
    /// An oracle over these backends, with what the cache already knows.
    ///
    /// # Panics
    ///
    /// When the catalog does not cover the kind of a backend.
    pub fn new(
        backends: impl IntoIterator<Item = Backend>,
        catalog: Arc<Catalog>,
        cache: Cache,
        lifetimes: Lifetimes,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let backends: BTreeMap<_, _> = backends
            .into_iter()
            .map(|backend| (backend.name.clone(), Arc::new(BackendState::new(backend))))
            .collect();
        for connected in backends.values() {
            let kind = &connected.backend.kind;
            let is_covered = catalog.provider(kind.as_str()).is_some();
            assert!(is_covered, "the catalog was made without {kind}");
        }
        let fetcher = Fetcher::new(cache.clone(), lifetimes, clock, metrics.clone());
        Self(Arc::new(Inner {
            backends,
            catalog,
            cache,
            lifetimes,
            clock,
            metrics,
            fetcher,
        }))
    }

    /// The names of all backends.
    pub fn backend_names(&self) -> Vec<BackendName> {
        self.0.backends.keys().cloned().collect()
    }

    /// Whether there is such a backend.
    pub fn has_backend(&self, name: &str) -> bool {
        self.0.backends.contains_key(name)
    }

    /// The metrics that the answers count into.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The catalogs of all clouds, as they stand.
    pub fn catalogs(&self) -> Vec<(CloudKind, Arc<Provider>)> {
        let providers = self.0.catalog.providers();
        providers
            .map(|(kind, provider)| (kind.clone(), provider))
            .collect()
    }

    /// Looks at the source of the catalogs again.
    pub async fn reload_catalog(&self) {
        self.0.catalog.reload().await;
    }

    /// Waits until every answer so far is on disk, if there is one.
    pub async fn flush(&self) {
        self.0.cache.flush().await;
    }
}

impl Inner {
    /// What is held for launches under way in a region: nothing yet.
    fn leased(&self, _location: &Location) -> Leased {
        Leased::new()
    }
}
