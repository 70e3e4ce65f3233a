//! Random lives of leases against a cloud whose usage lags behind: thousands of them, each from a
//! seed.
//!
//! With several replicas the store that they share goes away and comes back, with what it had or
//! with nothing, and their machines' clocks differ.
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

use life::{Outcome, RealServer, Sharing};

use crate::harness::{Engine, StoreServer};

const SEEDS: &str = "QUOTA_ORACLE_SIMULATION_SEEDS";
const SEED: &str = "QUOTA_ORACLE_SIMULATION_SEED";

#[test]
fn what_is_leased_committed_and_used_never_exceeds_a_limit() {
    let sum = live_all(2_000, &Sharing::Alone);
    if sum.lives >= 2_000 {
        sum.is_lively(1_000);
    }
}

#[test]
fn two_replicas_keep_to_the_same_law() {
    let sum = live_all(500, &Sharing::InMemory);
    if sum.lives >= 500 {
        sum.is_lively(150);
        assert!(sum.outages > 150 && sum.unbacked > 150, "{sum:?}");
    }
}

#[test]
fn and_with_their_ledger_on_redis() {
    on_a_server(Engine::Redis);
}

#[test]
fn and_with_their_ledger_on_valkey() {
    on_a_server(Engine::Valkey);
}

fn on_a_server(engine: Engine) {
    let server = StoreServer::start(engine);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let real = RealServer {
        url: server.url(),
        runtime: runtime.handle().clone(),
    };
    let sum = live_all(100, &Sharing::OnServer(real));
    if sum.lives >= 100 {
        sum.is_lively(30);
        assert!(sum.outages > 30 && sum.unbacked > 30, "{sum:?}");
    }
}

/// Lives lives from seeds, as many as this unless the environment says otherwise.
fn live_all(by_default: u64, sharing: &Sharing) -> Outcome {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seeds = match number(SEED) {
        Some(seed) => seed..seed + 1,
        None => 0..number(SEEDS).unwrap_or(by_default),
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
            match catch_unwind(AssertUnwindSafe(|| life::live(seed, sharing))) {
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
    println!("{sum:?}");
    sum
}

impl Outcome {
    /// Lives in which nothing happens would keep to any law.
    fn is_lively(&self, at_least: u64) {
        let lived = [
            self.granted,
            self.refused,
            self.committed,
            self.restarts,
            self.verified,
        ];
        assert!(lived.iter().all(|count| *count > at_least), "{self:?}");
        assert!(self.overshoots_beyond_the_delay > 0, "{self:?}");
    }
}
