//! The pause before a failed call is retried: arithmetic only, chance is passed in.

use std::time::Duration;

use super::settings::RetryPolicy;
use crate::model::Failure;

impl RetryPolicy {
    /// Returns the pause after `tried` attempts, the last of which failed with `failure`; none if
    /// the call is not retried.
    ///
    /// `chance` is anything from 0 up to 1. A cloud's `Retry-After` is a minimum; the jitter goes
    /// on top, so that callers who were told the same do not all return at once.
    pub(super) fn pause(&self, tried: u32, failure: &Failure, chance: f64) -> Option<Duration> {
        if !failure.kind.is_transient() || tried >= self.attempts {
            return None;
        }
        let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
        let longest = self.base.saturating_mul(doubled).min(self.cap);
        let asked = failure.retry_after.unwrap_or_default();
        Some(asked + longest.mul_f64(chance))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::FailureKind;

    fn throttled() -> Failure {
        Failure::new(FailureKind::Throttled, "Rate exceeded")
    }

    #[test]
    fn the_longest_pause_doubles_up_to_the_cap() {
        let policy = RetryPolicy {
            attempts: 100,
            ..RetryPolicy::default()
        };
        let longest = |tried| policy.pause(tried, &throttled(), 1.0).unwrap().as_millis();
        assert_eq!([1, 2, 3].map(longest), [200, 400, 800]);
        assert_eq!([8, 40, 99].map(longest), [20_000; 3]);
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        let policy = RetryPolicy::default();
        let pause = |kind, tried| policy.pause(tried, &Failure::new(kind, ""), 0.5);
        assert!(pause(FailureKind::Unavailable, 3).is_some());
        assert_eq!(pause(FailureKind::Unavailable, 4), None);
        assert_eq!(pause(FailureKind::Denied, 1), None);
        assert_eq!(pause(FailureKind::NotFound, 1), None);
    }

    proptest! {
        #[test]
        fn a_pause_is_within_what_was_asked_and_the_backoff(
            tried in 1..4_u32,
            chance in 0.0..1.0_f64,
            asked in proptest::option::of(0..600_u64),
        ) {
            let mut failure = throttled();
            failure.retry_after = asked.map(Duration::from_secs);
            let asked = failure.retry_after.unwrap_or_default();
            let pause = RetryPolicy::default().pause(tried, &failure, chance).unwrap();
            prop_assert!(pause >= asked);
            prop_assert!(pause <= asked + Duration::from_millis(100) * 2_u32.pow(tried));
        }
    }
}
