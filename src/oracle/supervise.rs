//! Work that lasts as long as the service.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;

/// Long enough that a fault which comes back at once does not fill the log.
const PAUSE: Duration = Duration::from_secs(30);

/// Does the work, and begins it again when a fault of ours ends it: nobody waits for it who could
/// miss it.
pub async fn supervise<W: Future<Output = ()>>(what: &str, work: impl Fn() -> W) {
    while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
        tracing::error!("{what} failed inside quota-oracle, and begins again in {PAUSE:?}");
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_fails_is_begun_again() {
        let begun = Cell::new(0);
        let started = tokio::time::Instant::now();
        let work = async || {
            begun.set(begun.get() + 1);
            assert_eq!(begun.get(), 3, "fails twice");
        };
        supervise("a test", work).await;
        assert_eq!((begun.get(), started.elapsed()), (3, 2 * PAUSE));
    }
}
