//! The watcher: looks whenever something may have changed.

use std::time::Duration;

use tokio::time::{sleep, sleep_until};

use crate::oracle::state::Oracle;

/// Looks are this far apart at least: launches that come in hundreds a second make one event.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches all backends from the first subscription on.
pub(in crate::oracle) async fn run(oracle: &Oracle) {
    let oracle = &*oracle.0;
    let events = &oracle.events;
    let mut wanted = events.wanted.subscribe();
    // The sender is in the oracle.
    let _ = wanted.wait_for(|wanted| *wanted).await;
    loop {
        let next = events.look(&oracle.backends, oracle.clock.now());
        sleep(PAUSE).await;
        match next {
            None => events.changed.notified().await,
            Some(next) => tokio::select! {
                () = events.changed.notified() => {}
                () = sleep_until(oracle.clock.instant(next)) => {}
            },
        }
    }
}
