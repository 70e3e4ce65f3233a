//! The metrics and the log line of one call.

use tokio::time::Instant;

use super::in_flight::Timing;
use super::scope::Scope;
use crate::model::{Failure, FailureKind};
use crate::telemetry::Metrics;

/// A call whose end will be recorded; dropped before its end, it is recorded as abandoned.
pub(super) struct CallRecord<'a> {
    metrics: &'a Metrics,
    scope: &'a Scope,
    started: Instant,
    has_ended: bool,
}

impl<'a> CallRecord<'a> {
    pub(super) fn start(metrics: &'a Metrics, scope: &'a Scope) -> Self {
        Self {
            metrics,
            scope,
            started: Instant::now(),
            has_ended: false,
        }
    }

    pub(super) fn end<T>(mut self, result: &Result<T, Failure>, timing: Timing) {
        self.has_ended = true;
        let Scope {
            backend,
            region,
            operation,
        } = self.scope;
        let Timing { took, stalled, .. } = timing;
        self.metrics
            .upstream_call(backend, region, operation, result);
        let Err(failure) = result else {
            tracing::debug!(%backend, %region, operation, ?took, "upstream call");
            return;
        };
        match failure.kind {
            // The limiter has warned of it, with the factor that it lowers the rate to.
            FailureKind::Throttled => self.metrics.upstream_throttled(backend, region, operation),
            // To be told that something does not exist is an answer.
            FailureKind::NotFound => {
                tracing::debug!(%backend, %region, operation, ?took, %failure, "upstream call");
            }
            _ => {
                tracing::info!(
                    %backend, %region, operation, ?took, ?stalled, %failure, "upstream call failed"
                );
            }
        }
    }
}

impl Drop for CallRecord<'_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let Scope {
            backend,
            region,
            operation,
        } = self.scope;
        let took = self.started.elapsed();
        self.metrics.upstream_abandoned(backend, region, operation);
        tracing::debug!(%backend, %region, operation, ?took, "upstream call abandoned");
    }
}
