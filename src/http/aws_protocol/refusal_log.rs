//! Refusals in the log: a sample of each kind, since whoever can reach the service can cause them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::error::AwsError;

/// How often a kind of refusal is logged where everybody reads; in between, for debugging only.
const EVERY: Duration = Duration::from_secs(60);

/// When each kind of refusal was last logged, and how many there were since.
#[derive(Debug, Default)]
pub(super) struct RefusalLog(Mutex<HashMap<&'static str, Sample>>);

#[derive(Debug)]
struct Sample {
    logged_at: Instant,
    since: u64,
}

impl RefusalLog {
    pub(super) fn log(&self, refusal: &AwsError) {
        match self.due(refusal.code) {
            Some(0) => tracing::info!(code = refusal.code, "refused: {}", refusal.message),
            Some(more) => {
                tracing::info!(code = refusal.code, more, "refused: {}", refusal.message);
            }
            None => tracing::debug!(code = refusal.code, "refused: {}", refusal.message),
        }
    }

    /// Returns how many refusals of the kind were passed over before this one, if it is to be
    /// logged.
    fn due(&self, code: &'static str) -> Option<u64> {
        let now = Instant::now();
        let first = Sample {
            logged_at: now,
            since: 0,
        };
        let mut samples = self.0.lock();
        let Some(sample) = samples.get_mut(code) else {
            samples.insert(code, first);
            return Some(0);
        };
        if now.duration_since(sample.logged_at) < EVERY {
            sample.since += 1;
            return None;
        }
        let passed_over = sample.since;
        *sample = first;
        Some(passed_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_of_a_kind_a_minute_is_due_and_counts_the_others() {
        let log = RefusalLog::default();
        assert_eq!(log.due("AccessDeniedException"), Some(0));
        for _ in 0..5 {
            assert_eq!(log.due("AccessDeniedException"), None);
        }
        assert_eq!(log.due("ValidationException"), Some(0));
        tokio::time::advance(EVERY).await;
        assert_eq!(log.due("AccessDeniedException"), Some(5));
        assert_eq!(log.due("AccessDeniedException"), None);
        assert_eq!(log.due("ValidationException"), Some(0));
    }
}
