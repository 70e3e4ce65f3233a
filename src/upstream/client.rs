//! The client of one backend's cloud: waits for a permit, makes the call, and retries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::call_record::CallRecord;
use super::call_slots::BackendSlots;
use super::in_flight;
use super::limiter::{Limiter, Permit};
use super::scope::Scope;
use super::settings::{LONGEST_RETRY_AFTER, Operation, Policy, Rate, RateLimit};
use super::shared::Shared;
use crate::model::{BackendName, Failure, Moment, Region};
use crate::source::CallContext;

/// The client of one backend's cloud; clones share its limits.
#[derive(Clone, Debug)]
pub struct Upstream {
    backend: BackendName,
    rate_limit: RateLimit,
    policy: Policy,
    pub(super) shared: Shared,
    slots: BackendSlots,
    limiters: Arc<Mutex<Limiters>>,
}

type Limiters = HashMap<(Region, &'static str), Arc<Limiter>>;

/// The answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// The value that the attempt returned.
    pub value: T,
    /// When the attempt that brought it was sent: the value is as of this moment or later.
    pub sent_at: Moment,
}

impl Upstream {
    /// A client of this backend's cloud within these limits.
    pub fn new(backend: BackendName, rate_limit: RateLimit, shared: Shared) -> Self {
        Self {
            backend,
            rate_limit,
            policy: Policy::default(),
            slots: shared.slots.add_backend(),
            shared,
            limiters: Arc::default(),
        }
    }

    /// Returns the time by the clock that calls are dated with.
    pub fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// Returns how long so many calls of an operation in one region take within the rate.
    pub fn estimated_duration(&self, operation: &Operation, calls: u32) -> Duration {
        let Rate { per_second, burst } = self.rate_limit.within(operation.documented);
        let beyond_burst = f64::from(calls.saturating_sub(burst.get()));
        Duration::try_from_secs_f64(beyond_burst / per_second).unwrap_or(Duration::MAX)
    }

    /// Calls the cloud when its limits allow, and retries until the deadline.
    ///
    /// `attempt` makes one call. It is started once the call has all permits, so time-outs that it
    /// sets itself begin when it is sent; it is dropped if it is still running at the deadline. By
    /// the kind of its [`Failure`] it tells whether a retry makes sense, and by `retry_after` how
    /// long the cloud asked to be left alone, if at all.
    pub async fn call<T, F, Fut>(
        &self,
        region: &Region,
        operation: &Operation,
        context: &CallContext,
        attempt: F,
    ) -> Result<Answer<T>, Failure>
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
            let permit = match limiter.permit(&context.urgency, deadline).await {
                Ok(permit) => permit,
                Err(refusal) => return Err(last_failure_or(refusal, last)),
            };
            self.shared
                .metrics
                .upstream_wait(&self.backend, asked.elapsed());
            let sent_at = self.shared.clock.now();
            let result = self
                .attempt(limiter.scope(), permit, deadline, &attempt)
                .await;
            tried += 1;
            let failure = match result {
                Ok(value) => return Ok(Answer { value, sent_at }),
                Err(failure) => failure,
            };
            if failure.kind.is_transient()
                && let Some(held_back) = limiter.held_back()
            {
                return Err(held_back);
            }
            match self.policy.retry.pause(tried, &failure, rand::random()) {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                Some(_) | None => return Err(failure),
            }
            last = Some(failure);
        }
    }

    /// Makes one call with this permit, and reports its end to the limiter and the metrics.
    async fn attempt<T, Fut>(
        &self,
        scope: &Scope,
        permit: Permit,
        deadline: Instant,
        attempt: impl Fn() -> Fut,
    ) -> Result<T, Failure>
    where
        Fut: Future<Output = Result<T, Failure>>,
    {
        let record = CallRecord::start(&self.shared.metrics, scope);
        // On the heap, since an SDK's future is large: thousands of calls that only wait for their
        // turn would hold its room otherwise.
        let ended = in_flight::run(Box::pin(attempt()), deadline, || permit.release_slot()).await;
        let result = ended.result.unwrap_or_else(|| Err(scope.unanswered()));
        let result = result.map_err(|failure| Failure {
            retry_after: failure
                .retry_after
                .map(|asked| asked.min(LONGEST_RETRY_AFTER)),
            ..failure
        });
        permit.settle(ended.timing.outcome(&result));
        record.end(&result, ended.timing);
        result
    }

    fn limiter(&self, region: &Region, operation: &Operation) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock();
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
                    self.slots.clone(),
                    self.shared.replicas.clone(),
                    self.policy.breaker,
                ))
            });
        Arc::clone(limiter)
    }
}

/// Returns the failure to answer with when no retry is permitted: the cloud's own from the last
/// attempt, which tells more than our refusal, with the longer of both waits.
fn last_failure_or(refusal: Failure, last: Option<Failure>) -> Failure {
    match last {
        Some(last) => Failure {
            retry_after: last.retry_after.max(refusal.retry_after),
            ..last
        },
        None => refusal,
    }
}
