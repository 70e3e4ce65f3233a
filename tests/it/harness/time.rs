//! Time, as stories need it.
//!
//! A paused clock jumps to the next timer whenever nothing is ready to run, and a byte on its way
//! through a loopback socket is not ready to run: each hop of a request would jump, past the
//! time-out of that very request if no other timer is nearer. So a metronome ticks: each jump is
//! one tick at most, and hundreds of hops fit into the shortest time-out.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const TICK: Duration = Duration::from_millis(20);

/// Starts the metronome of a story whose clock is paused; it ends with the story's runtime.
pub(super) fn start_metronome() {
    tokio::spawn(async {
        loop {
            sleep(TICK).await;
            // Other threads of the machine move bytes too, the kernel's for example.
            std::thread::yield_now();
        }
    });
}

/// Lets this much time pass on the paused clock.
pub(crate) async fn let_time_pass(duration: Duration) {
    sleep(duration).await;
}

/// Looks again and again until `condition` holds, for two minutes at most.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !condition().await {
        assert!(Instant::now() < patience, "still waiting until {what}");
        sleep(TICK).await;
    }
}
