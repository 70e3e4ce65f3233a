//! Random lives of leases against a cloud whose usage lags behind: thousands of them, each from a
//! seed.
//!
//! The law: while the cloud shows launches within the configured `usage_delay`, what is running and
//! what is leased never exceed the limit that was known when a lease was granted. Beyond it they
//! may, which is counted. Nothing leaks, and every lease ends.
//!
//! `QUOTA_ORACLE_SIMULATION_SEEDS` runs more seeds, `QUOTA_ORACLE_SIMULATION_SEED` a single one.

mod cloud;
mod life;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use life::Outcome;

const SEEDS: &str = "QUOTA_ORACLE_SIMULATION_SEEDS";
const SEED: &str = "QUOTA_ORACLE_SIMULATION_SEED";

/// Enough to meet each combination of a few events, in a few seconds.
const BY_DEFAULT: u64 = 2_000;

#[test]
fn what_is_leased_committed_and_used_never_exceeds_a_limit() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seeds = match number(SEED) {
        Some(seed) => seed..seed + 1,
        None => 0..number(SEEDS).unwrap_or(BY_DEFAULT),
    };
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let run = || {
        let mut sum = Outcome::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return sum;
            }
            match catch_unwind(AssertUnwindSafe(|| life::live(seed))) {
                Ok(outcome) => sum.add(&outcome),
                Err(_) => panic!(
                    "seed {seed} failed; run it again with {SEED}={seed} cargo test --test it \
                     leases::simulation"
                ),
            }
        }
    };
    let sum = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut sum = Outcome::default();
        for thread in running {
            match thread.join() {
                Ok(outcome) => sum.add(&outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        sum
    });
    println!("{} lives: {sum:?}", seeds.end - seeds.start);
    if seeds.end - seeds.start >= BY_DEFAULT {
        // Lives in which nothing happens would keep to any law.
        let lived = [
            sum.granted,
            sum.refused,
            sum.committed,
            sum.restarts,
            sum.verified,
        ];
        assert!(lived.iter().all(|count| *count > 1_000), "{sum:?}");
        assert!(sum.overshoots_beyond_the_delay > 0, "{sum:?}");
    }
}
