//! Stories about calls to a cloud, on a paused clock.

mod accidents;
mod deadlines;
mod limits;
mod openings;
mod outages;
mod priorities;
mod simulation;
mod slots;
mod starvation;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::call_slots::CallSlots;
use super::{Operation, Rate, RateLimit, Shared, Upstream};
use crate::clock::Clock;
use crate::model::{Failure, FailureKind, Region};
use crate::source::{CallContext, Priority, Urgency};
use crate::telemetry::Metrics;

const LIST: Operation = Operation {
    name: "ListServiceQuotas",
    documented: Rate {
        per_second: 1000.0,
        burst: std::num::NonZeroU32::new(1000).unwrap(),
    },
};

const REGION: &str = "us-east-1";

fn upstream(per_second: f64, burst: u32, concurrency: u32) -> Upstream {
    upstream_of(per_second, burst, concurrency, shared())
}

/// A client in a process with other ones.
fn upstream_of(per_second: f64, burst: u32, concurrency: u32, shared: Shared) -> Upstream {
    let limit = RateLimit {
        per_second,
        burst: burst.try_into().unwrap(),
        concurrency: concurrency.try_into().unwrap(),
    };
    Upstream::new("aws".into(), limit, shared)
}

fn shared() -> Shared {
    Shared::new(Clock::system(), Metrics::new())
}

impl Upstream {
    /// [`Upstream::call`], for tests that do not ask when the call was sent.
    async fn value<T, F, Fut>(
        &self,
        region: &Region,
        operation: &Operation,
        context: &CallContext,
        attempt: F,
    ) -> Result<T, Failure>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let answer = self.call(region, operation, context, attempt).await;
        answer.map(|answer| answer.value)
    }
}

/// On behalf of somebody who wants the answer within so many seconds.
fn context(priority: Priority, seconds: u64) -> CallContext {
    CallContext {
        urgency: Urgency::new(priority),
        deadline: (Instant::now() + Duration::from_secs(seconds)).into_std(),
    }
}

fn throttled() -> Failure {
    Failure::new(FailureKind::Throttled, "Rate exceeded")
}

fn unavailable() -> Failure {
    Failure::new(FailureKind::Unavailable, "connection refused")
}

fn timed_out() -> Failure {
    Failure::new(FailureKind::Timeout, "no answer within 5 s")
}

/// A runtime on a paused clock, for property tests.
fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

/// A cloud that writes down when it is called, and by whom.
#[derive(Debug)]
struct Cloud {
    start: Instant,
    calls: Mutex<Vec<(Duration, String)>>,
    running: AtomicU32,
    most_running: AtomicU32,
}

impl Cloud {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            calls: Mutex::default(),
            running: AtomicU32::new(0),
            most_running: AtomicU32::new(0),
        }
    }

    /// A call by `caller` that takes so long and ends so.
    async fn serve(
        &self,
        caller: &str,
        takes: Duration,
        result: Result<(), Failure>,
    ) -> Result<(), Failure> {
        let _running = Running::count(self);
        self.calls
            .lock()
            .unwrap()
            .push((self.start.elapsed(), caller.to_owned()));
        sleep(takes).await;
        result
    }

    async fn answer(&self, caller: &str) -> Result<(), Failure> {
        self.serve(caller, Duration::ZERO, Ok(())).await
    }

    fn times(&self) -> Vec<Duration> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(at, _)| *at).collect()
    }

    fn millis(&self) -> Vec<u128> {
        self.times().iter().map(Duration::as_millis).collect()
    }

    fn callers(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(_, caller)| caller.clone()).collect()
    }
}

struct Running<'a>(&'a Cloud);

impl<'a> Running<'a> {
    fn count(cloud: &'a Cloud) -> Self {
        let running = cloud.running.fetch_add(1, Ordering::Relaxed) + 1;
        cloud.most_running.fetch_max(running, Ordering::Relaxed);
        Self(cloud)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
