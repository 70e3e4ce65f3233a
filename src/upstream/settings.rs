//! Settings of calls: the limits that a cloud documents, those that the operator sets, and the
//! policy for failures.

use std::num::NonZeroU32;
use std::time::Duration;

/// A cloud's operation and the limit that the cloud documents for it.
///
/// Operations are told apart by name: one name always comes with the same limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// The cloud's name of it.
    pub name: &'static str,
    /// The documented limit.
    pub documented: Rate,
}

/// A sustained rate and the calls that may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Calls a second, sustained.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: NonZeroU32,
}

/// The operator's limit per account, region and operation.
///
/// An operation runs at the lower of this and its documented limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls a second, sustained.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: NonZeroU32,
    /// Calls in flight at once.
    pub concurrency: NonZeroU32,
}

impl RateLimit {
    /// The rate that an operation with this documented limit runs at.
    pub fn within(&self, documented: Rate) -> Rate {
        Rate {
            per_second: self.per_second.min(documented.per_second),
            burst: self.burst.min(documented.burst),
        }
    }
}

/// The policy for calls that a cloud refuses or does not answer.
///
/// It is not in the operator's configuration: what an operator knows about an account is its rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Policy {
    /// When a failed call is retried.
    pub(super) retry: RetryPolicy,
    /// When the circuit breaker opens.
    pub(super) breaker: BreakerPolicy,
}

/// When a failed call is retried: exponential backoff with full jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RetryPolicy {
    /// Attempts of one call in all.
    pub(super) attempts: u32,
    /// The longest pause before the second try; it doubles from try to try.
    pub(super) base: Duration,
    /// The longest pause before any try.
    pub(super) cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            // One more than the AWS SDKs' default of three: their token bucket, which would stop
            // a fourth, is what the rate limit and the circuit breaker do here.
            attempts: 4,
            // At 5 calls a second, the documented rate of GetServiceQuota, the bucket has
            // refilled by one call after 200 ms.
            base: Duration::from_millis(200),
            // The AWS SDKs' cap.
            cap: Duration::from_secs(20),
        }
    }
}

/// When the circuit breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BreakerPolicy {
    /// Throttling answers in a row that open it.
    pub(super) throttles: u32,
    /// Calls in a row without an answer that open it.
    pub(super) outages: u32,
    /// The period that it stays open at first; each failed probe doubles it.
    pub(super) first_period: Duration,
    /// The longest that it stays open before the next probe.
    pub(super) longest_period: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            // Fewer than the attempts of one call, so that a single caller opens it.
            throttles: 3,
            // More patient than with throttling: a lost call says less than a refused one.
            outages: 5,
            // Longer than any burst takes to refill.
            first_period: Duration::from_secs(30),
            // AWS was reported to refuse for 10 to 20 minutes once throttled
            // (dstackai/dstack#2195): that is two to four probes at this period, and recovery is
            // noticed soon enough for answers that are served stale for an hour.
            longest_period: Duration::from_secs(5 * 60),
        }
    }
}

/// The longest `Retry-After` that is obeyed: above the longest lock-out reported of any cloud, but
/// not so long that a malformed header closes an operation for a day.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_runs_at_the_lower_of_both_limits() {
        let some = |number| NonZeroU32::new(number).unwrap();
        let limit = RateLimit {
            per_second: 4.0,
            burst: some(8),
            concurrency: some(4),
        };
        let documented = |per_second, burst| Rate {
            per_second,
            burst: some(burst),
        };
        assert_eq!(limit.within(documented(10.0, 5)), documented(4.0, 5));
        assert_eq!(limit.within(documented(3.0, 10)), documented(3.0, 8));
    }
}
