//! How long a failed read is left alone: remembered failures are what keeps a cloud that refuses
//! from being asked again by every caller.

use std::time::Duration;

use crate::model::{Failure, FailureKind};

/// The first wait and the longest, for a kind of failure.
fn bounds(kind: FailureKind) -> (Duration, Duration) {
    let (first, longest) = match kind {
        // Short troubles; the longest wait is a refresh interval, since the circuit breaker on
        // the road out lengthens it further by the time it asks for.
        FailureKind::Throttled | FailureKind::Timeout | FailureKind::Unavailable => (5, 300),
        // Somebody has to mend something; they should not have to wait long after that.
        FailureKind::Denied | FailureKind::NotFound | FailureKind::Malformed => (60, 600),
        // Enabling a region is rare, and asking about one that is not costs a refused call.
        FailureKind::NotEnabled => (6 * 3600, 6 * 3600),
    };
    (Duration::from_secs(first), Duration::from_secs(longest))
}

/// The wait after the `in_a_row`th failure; `jitter` in 0..1 spreads it over ±10 %.
pub(super) fn wait(failure: &Failure, in_a_row: u32, jitter: f64) -> Duration {
    let (first, longest) = bounds(failure.kind);
    let doublings = in_a_row.saturating_sub(1).min(16);
    let grown = first.saturating_mul(1 << doublings).min(longest);
    let spread = grown.mul_f64(0.9 + 0.2 * jitter);
    spread.max(failure.retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_stay_bounded_and_respect_the_cloud(
            in_a_row in 1u32..100, jitter in 0.0..1.0f64, asked in 0u64..2000,
        ) {
            let asked = Duration::from_secs(asked);
            let failure = Failure::new(FailureKind::Throttled, "Rate exceeded").retry_after(asked);
            let this = wait(&failure, in_a_row, jitter);
            prop_assert!(this >= asked);
            prop_assert!(this <= asked.max(Duration::from_secs(330)));
            prop_assert!(wait(&failure, in_a_row + 1, jitter) >= this);
        }
    }

    #[test]
    fn a_region_that_is_not_enabled_is_left_alone_for_hours() {
        let failure = Failure::new(FailureKind::NotEnabled, "not enabled");
        assert!(wait(&failure, 1, 0.0) > Duration::from_secs(5 * 3600));
    }
}
