//! Stories about calling a cloud, told on a paused clock.

mod accidents;
mod deadlines;
mod limits;
mod outages;
mod priorities;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Operation, Rate, RateLimit, Upstream};
use crate::model::{Failure, FailureKind};
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
    let limit = RateLimit {
        per_second,
        burst: burst.try_into().unwrap(),
        concurrency: concurrency.try_into().unwrap(),
    };
    Upstream::new("aws".into(), limit, Metrics::new())
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
