//! A second source beside the quotas, such as a list of platforms: read every few minutes or
//! hours, with its last good value kept.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::model::Failure;

/// A value that is read at most every so often and survives the failure of a later read.
#[derive(Debug)]
pub struct Hourly<T> {
    every: Duration,
    state: Mutex<State<T>>,
    /// Held during a read, so that there is one at a time.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<Arc<T>>,
    generation: u64,
    /// When the last read without a failure ended.
    read_at: Option<Instant>,
}

/// The outcome of asking for the value.
#[derive(Debug)]
pub struct Kept<T> {
    /// The value, as old as the failures have made it; absent if no read has brought any.
    pub value: Option<Arc<T>>,
    /// The failures of the read that was due.
    pub failures: Vec<Failure>,
}

impl<T: PartialEq> Hourly<T> {
    /// A value that is read anew when it is older than this.
    pub fn new(every: Duration) -> Self {
        Self {
            every,
            state: Mutex::new(State {
                value: None,
                generation: 0,
                read_at: None,
            }),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the value, after reading it anew if it is due.
    ///
    /// While another caller reads, a value that is known is returned as it is; without one the
    /// caller waits.
    ///
    /// `read` is given the value so far and brings the new one, if it has any, with the failures
    /// it met. A read with failures is repeated by the next caller, since the value may be only a
    /// part.
    pub async fn get<F, Fut>(&self, read: F) -> Kept<T>
    where
        F: FnOnce(Option<Arc<T>>) -> Fut,
        Fut: Future<Output = (Option<T>, Vec<Failure>)>,
    {
        let (known, is_due) = self.known();
        if !is_due {
            return Kept::good(known);
        }
        let _turn = match (self.reading.try_lock(), known) {
            (Ok(turn), _) => turn,
            (Err(_), Some(known)) => return Kept::good(Some(known)),
            (Err(_), None) => self.reading.lock().await,
        };
        let (known, is_due) = self.known();
        if !is_due {
            return Kept::good(known);
        }
        let (value, failures) = read(known).await;
        let mut state = self.state.lock();
        if let Some(value) = value {
            if state.value.as_deref() != Some(&value) {
                state.value = Some(Arc::new(value));
                state.generation += 1;
            }
            if failures.is_empty() {
                state.read_at = Some(Instant::now());
            }
        }
        Kept {
            value: state.value.clone(),
            failures,
        }
    }

    /// Returns the last good value, and whether a read is due.
    fn known(&self) -> (Option<Arc<T>>, bool) {
        let state = self.state.lock();
        let is_fresh = |at: Instant| at.elapsed() < self.every;
        (state.value.clone(), !state.read_at.is_some_and(is_fresh))
    }

    /// Whether a read is due.
    pub fn is_due(&self) -> bool {
        self.known().1
    }

    /// Returns how long ago the last read without a failure ended, if there was one.
    pub fn age(&self) -> Option<Duration> {
        self.state.lock().read_at.map(|at| at.elapsed())
    }

    /// Returns the last good value without reading.
    pub fn last(&self) -> Option<Arc<T>> {
        self.known().0
    }

    /// Returns a number that grows with each change of the value.
    pub fn generation(&self) -> u64 {
        self.state.lock().generation
    }
}

impl<T> Kept<T> {
    fn good(value: Option<Arc<T>>) -> Self {
        Self {
            value,
            failures: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::model::FailureKind;

    const EVERY: Duration = Duration::from_secs(3600);

    async fn read(hourly: &Hourly<u32>, answer: Result<u32, FailureKind>) -> (Option<u32>, usize) {
        let kept = hourly
            .get(|_| async move {
                match answer {
                    Ok(value) => (Some(value), Vec::new()),
                    Err(kind) => (None, vec![Failure::new(kind, "broken")]),
                }
            })
            .await;
        (kept.value.as_deref().copied(), kept.failures.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_read_again_only_when_it_is_due() {
        let hourly = Hourly::new(EVERY);
        assert_eq!(read(&hourly, Ok(1)).await, (Some(1), 0));
        tokio::time::advance(EVERY - Duration::from_secs(1)).await;
        assert_eq!(read(&hourly, Ok(2)).await, (Some(1), 0));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(read(&hourly, Ok(3)).await, (Some(3), 0));
        assert_eq!(hourly.generation(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_value_survives_a_failure_and_the_next_caller_tries_again() {
        let hourly = Hourly::new(EVERY);
        assert_eq!(read(&hourly, Err(FailureKind::Timeout)).await, (None, 1));
        assert_eq!(read(&hourly, Ok(1)).await, (Some(1), 0));
        tokio::time::advance(EVERY).await;
        let broken = Err(FailureKind::Unavailable);
        assert_eq!(read(&hourly, broken).await, (Some(1), 1));
        assert_eq!(hourly.last().as_deref(), Some(&1));
        assert_eq!(read(&hourly, Ok(1)).await, (Some(1), 0));
        assert_eq!(hourly.generation(), 1, "the same value is no change");
        assert_eq!(read(&hourly, Ok(2)).await, (Some(1), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_of_a_value_is_kept_and_the_rest_is_asked_for_again() {
        let hourly = Hourly::new(EVERY);
        let partly = || async { (Some(1), vec![Failure::new(FailureKind::Timeout, "half")]) };
        let kept = hourly.get(|_| partly()).await;
        assert_eq!((kept.value.as_deref(), kept.failures.len()), (Some(&1), 1));
        let rest = hourly.get(|known| async move { (known.map(|known| *known + 1), Vec::new()) });
        assert_eq!(rest.await.value.as_deref(), Some(&2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_shares_one_read() {
        let hourly = Hourly::new(EVERY);
        let reads = Mutex::new(0);
        let slowly = async |_| {
            *reads.lock() += 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
            (Some(1), Vec::new())
        };
        let crowd = join_all((0..20).map(|_| hourly.get(slowly))).await;
        assert!(crowd.iter().all(|kept| kept.value.as_deref() == Some(&1)));
        assert_eq!(*reads.lock(), 1);
    }
}
