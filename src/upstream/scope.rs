//! The scope of one limiter, and the failures that we ourselves report for it.

use std::time::Duration;

use crate::coordination::RateScope;
use crate::model::{BackendName, Failure, FailureKind, Region};

/// One operation in one region of one account: clouds count calls that way.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) backend: BackendName,
    pub(super) region: Region,
    pub(super) operation: &'static str,
}

impl Scope {
    /// The same scope among all replicas.
    pub(super) fn shared(&self) -> RateScope {
        RateScope {
            backend: self.backend.clone(),
            region: self.region.clone(),
            operation: self.operation,
        }
    }

    /// Refuses a call while the circuit breaker is open for so long because of `cause`.
    pub(super) fn held_back(&self, left: Duration, cause: Failure) -> Failure {
        let (operation, region, detail) = (self.operation, &self.region, &cause.detail);
        let detail = format!(
            "the circuit breaker holds back calls of {operation} in {region} after: {detail}"
        );
        Failure {
            detail,
            retry_after: Some(left),
            ..cause
        }
    }

    /// Refuses a call whose turn would come after its deadline, in so long.
    pub(super) fn too_many(&self, wait: Duration) -> Failure {
        let (operation, region) = (self.operation, &self.region);
        let detail =
            format!("the rate limit leaves no call of {operation} in {region} before the deadline");
        Failure::new(FailureKind::Throttled, detail).retry_after(wait)
    }

    /// Refuses a call whose deadline has passed.
    pub(super) fn too_late(&self) -> Failure {
        let (operation, region) = (self.operation, &self.region);
        let detail = format!("the deadline passed before {operation} could be called in {region}");
        Failure::new(FailureKind::Timeout, detail)
    }

    /// The failure of a call that was still unanswered at its deadline.
    pub(super) fn unanswered(&self) -> Failure {
        let (operation, region) = (self.operation, &self.region);
        let detail = format!("{operation} in {region} did not answer before the deadline");
        Failure::new(FailureKind::Timeout, detail)
    }
}
