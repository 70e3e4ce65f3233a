//! The client of one backend's cloud: waits for a permit, makes the call, and retries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::breaker::Outcome;
use super::limiter::{Limiter, Permit, Scope};
use super::settings::{LONGEST_RETRY_AFTER, Operation, Policy, Rate, RateLimit};
use crate::model::{BackendName, Failure, FailureKind, Region};
use crate::source::CallContext;
use crate::telemetry::Metrics;

/// The road to one backend's cloud; clones share its limits.
#[derive(Clone, Debug)]
pub struct Upstream {
    backend: BackendName,
    rate_limit: RateLimit,
    policy: Policy,
    pub(super) metrics: Metrics,
    limiters: Arc<Mutex<Limiters>>,
}

type Limiters = HashMap<(Region, &'static str), Arc<Limiter>>;

/// A caller who goes away sooner than this says nothing about the cloud: listing a page of quotas
/// may take a healthy cloud a second or two.
const HANGS_AFTER: Duration = Duration::from_secs(3);

impl Upstream {
    /// A road to this backend's cloud within these limits.
    pub fn new(backend: BackendName, rate_limit: RateLimit, metrics: Metrics) -> Self {
        Self::with_policy(backend, rate_limit, Policy::default(), metrics)
    }

    /// A road that behaves so when the cloud refuses.
    pub fn with_policy(
        backend: BackendName,
        rate_limit: RateLimit,
        policy: Policy,
        metrics: Metrics,
    ) -> Self {
        Self {
            backend,
            rate_limit,
            policy,
            metrics,
            limiters: Arc::default(),
        }
    }

    /// How long so many calls of an operation in one region take within the rate.
    pub fn estimated_duration(&self, operation: &Operation, calls: u32) -> Duration {
        let Rate { per_second, burst } = self.rate_limit.within(operation.documented);
        let beyond_burst = f64::from(calls.saturating_sub(burst.get()));
        Duration::try_from_secs_f64(beyond_burst / per_second).unwrap_or(Duration::MAX)
    }

    /// Calls the cloud when its limits allow, again while it makes sense, until the deadline.
    ///
    /// `attempt` makes one call, and is dropped if it is still under way at the deadline. It says
    /// by the kind of its [`Failure`] whether another attempt makes sense, and by `retry_after`
    /// what the cloud asked for, if anything.
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
        let limiter = self.limiter(region, operation);
        let deadline = Instant::from_std(context.deadline);
        let mut tried = 0;
        let mut last = None;
        loop {
            let asked = Instant::now();
            let permit = match limiter.enter(&context.urgency, deadline).await {
                Ok(permit) => permit,
                Err(refusal) => return Err(in_the_clouds_words(last, refusal)),
            };
            self.metrics.upstream_wait(&self.backend, asked.elapsed());
            let result = self
                .attempt(region, operation, permit, deadline, &attempt)
                .await;
            tried += 1;
            let failure = match result {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if failure.kind.is_transient()
                && let Some(held) = limiter.held()
            {
                return Err(held);
            }
            match self.policy.retry.pause(tried, &failure, rand::random()) {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                Some(_) | None => return Err(failure),
            }
            last = Some(failure);
        }
    }

    /// Makes one call with this permit, and lets the limiter and the metrics know how it ended.
    async fn attempt<T, Fut>(
        &self,
        region: &Region,
        operation: &Operation,
        permit: Permit,
        deadline: Instant,
        attempt: impl Fn() -> Fut,
    ) -> Result<T, Failure>
    where
        Fut: Future<Output = Result<T, Failure>>,
    {
        let name = operation.name;
        let call = CallUnderWay::of(self, region, name);
        let ended = timeout_at(deadline, attempt()).await;
        let took = call.started.elapsed();
        let cut_short = ended.is_err() && took < HANGS_AFTER;
        let result = ended.unwrap_or_else(|_| {
            let detail = format!("{name} in {region} did not answer before the deadline");
            Err(Failure::new(FailureKind::Timeout, detail))
        });
        let result = result.map_err(|failure| Failure {
            retry_after: failure
                .retry_after
                .map(|asked| asked.min(LONGEST_RETRY_AFTER)),
            ..failure
        });
        permit.settle(if cut_short {
            Outcome::Unknown
        } else {
            Outcome::of(&result)
        });
        call.end(&result);
        result
    }

    fn limiter(&self, region: &Region, operation: &Operation) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters
            .entry((region.clone(), operation.name))
            .or_insert_with(|| {
                let scope = Scope {
                    backend: self.backend.clone(),
                    region: region.clone(),
                    operation: operation.name,
                };
                Arc::new(Limiter::new(
                    scope,
                    self.rate_limit.within(operation.documented),
                    self.rate_limit.concurrency,
                    self.policy.breaker,
                ))
            });
        Arc::clone(limiter)
    }
}

/// A call that has gone out; dropped before its end, it is counted as abandoned.
struct CallUnderWay<'a> {
    upstream: &'a Upstream,
    region: &'a Region,
    operation: &'static str,
    started: Instant,
    has_ended: bool,
}

impl<'a> CallUnderWay<'a> {
    fn of(upstream: &'a Upstream, region: &'a Region, operation: &'static str) -> Self {
        Self {
            upstream,
            region,
            operation,
            started: Instant::now(),
            has_ended: false,
        }
    }

    fn end<T>(mut self, result: &Result<T, Failure>) {
        self.has_ended = true;
        let (region, operation) = (self.region, self.operation);
        let Upstream {
            backend, metrics, ..
        } = self.upstream;
        let took = self.started.elapsed();
        metrics.upstream_call(backend, region, operation, result);
        let Err(failure) = result else {
            tracing::debug!(%backend, %region, operation, ?took, "upstream call");
            return;
        };
        match failure.kind {
            // The limiter has warned of it, with what it makes of the rate.
            FailureKind::Throttled => metrics.upstream_throttled(backend, region, operation),
            // That there is no such thing is an answer.
            FailureKind::NotFound => {
                tracing::debug!(%backend, %region, operation, ?took, %failure, "upstream call");
            }
            _ => {
                tracing::info!(%backend, %region, operation, ?took, %failure, "upstream call failed")
            }
        }
    }
}

impl Drop for CallUnderWay<'_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let (region, operation) = (self.region, self.operation);
        let Upstream {
            backend, metrics, ..
        } = self.upstream;
        let took = self.started.elapsed();
        metrics.upstream_abandoned(backend, region, operation);
        tracing::debug!(%backend, %region, operation, ?took, "upstream call abandoned");
    }
}

/// What to say when there is no leave for another try: what the cloud said to the last one, with
/// the wait that we know of by now.
fn in_the_clouds_words(last: Option<Failure>, refusal: Failure) -> Failure {
    match last {
        Some(last) => Failure {
            retry_after: last.retry_after.max(refusal.retry_after),
            ..last
        },
        None => refusal,
    }
}
