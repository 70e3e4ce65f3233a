//! A process that gets too little CPU does not take its own slowness for the cloud's outage.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures_util::future::join_all;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{advance, timeout};

use super::*;

/// The time that one attempt has, as in the clouds' clients.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// A CPU that runs one thing at a time.
#[derive(Debug, Default)]
struct Cpu(tokio::sync::Mutex<()>);

impl Cpu {
    async fn work(&self, takes: Duration) {
        let _busy = self.0.lock().await;
        sleep(takes).await;
    }

    /// A call that needs the CPU to connect, to send and to read, of a cloud that answers soon.
    async fn exchange(&self) {
        self.work(Duration::from_millis(3)).await;
        self.work(Duration::from_millis(1)).await;
        sleep(Duration::from_millis(50)).await;
        self.work(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cold_start_of_a_hundred_accounts_times_out_no_call() {
    let (cpu, time_outs) = (Arc::new(Cpu::default()), Arc::new(AtomicUsize::new(0)));
    let shared = Shared {
        slots: CallSlots::new(128.try_into().unwrap()),
        ..shared()
    };
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let upstream = upstream_of(4.0, 4, 4, shared.clone());
        for (region, _) in (0..17).flat_map(|region| (0..4).map(move |call| (region, call))) {
            let (upstream, cpu, time_outs) =
                (upstream.clone(), Arc::clone(&cpu), Arc::clone(&time_outs));
            calls.spawn(async move {
                let context = context(Priority::Background, 3600);
                let region = Region::from(format!("region-{region}").as_str());
                let attempt = || async {
                    timeout(ATTEMPT_TIMEOUT, cpu.exchange()).await.map_err(|_| {
                        time_outs.fetch_add(1, Ordering::Relaxed);
                        timed_out()
                    })
                };
                upstream.value(&region, &LIST, &context, attempt).await
            });
        }
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.len(), 6800);
    assert_eq!(time_outs.load(Ordering::Relaxed), 0);
    assert!(answers.iter().all(Result::is_ok));
}

/// Twenty calls in a row that time out, while the process is stalled for so long at a time.
async fn twenty_time_outs(upstream: &Upstream, stall: Duration) -> Vec<Failure> {
    let mut failures = Vec::new();
    for _ in 0..20 {
        let context = context(Priority::Request, 6);
        let region = REGION.into();
        let attempt = || async {
            let answer = timeout(ATTEMPT_TIMEOUT, std::future::pending::<()>()).await;
            answer.map_err(|_| timed_out())
        };
        let call = upstream.value(&region, &LIST, &context, attempt);
        let stalls = async {
            yield_now().await;
            advance(stall).await;
        };
        let (answer, ()) = tokio::join!(call, stalls);
        failures.push(answer.unwrap_err());
    }
    failures
}

#[tokio::test(start_paused = true)]
async fn time_outs_of_a_stalled_process_open_no_breaker() {
    let broken = |failures: &[Failure]| {
        let broken = |it: &&Failure| it.detail.contains("circuit breaker");
        failures.iter().filter(broken).count()
    };
    for stall in [6, 4] {
        let failures = twenty_time_outs(&upstream(100.0, 100, 1), Duration::from_secs(stall)).await;
        assert_eq!(broken(&failures), 0, "stalled for {stall} s: {failures:?}");
    }
    for stall in [0, 1] {
        let failures = twenty_time_outs(&upstream(100.0, 100, 1), Duration::from_secs(stall)).await;
        assert!(broken(&failures) > 0, "stalled for {stall} s");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_answers_that_are_read_late_count_all_the_same() {
    let upstream = upstream(100.0, 100, 1);
    let mut last = None;
    for _ in 0..3 {
        let context = context(Priority::Request, 6);
        let region = REGION.into();
        let attempt = || async {
            sleep(Duration::from_secs(1)).await;
            Err::<(), _>(throttled())
        };
        let call = upstream.value(&region, &LIST, &context, attempt);
        let stalls = async {
            yield_now().await;
            advance(Duration::from_secs(5)).await;
        };
        last = tokio::join!(call, stalls).0.err();
    }
    let failure = last.unwrap();
    assert!(failure.detail.contains("circuit breaker"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_process_sends_no_more_calls_because_it_is_slow_to_read_answers() {
    let slots = CallSlots::new(2.try_into().unwrap());
    let shared = Shared {
        slots: slots.clone(),
        ..shared()
    };
    let upstream = upstream_of(100.0, 100, 10, shared);
    let cloud = Cloud::new();
    let region = REGION.into();
    let context = context(Priority::Request, 60);
    let takes = Duration::from_secs(10);
    let calls =
        (0..3).map(|_| upstream.value(&region, &LIST, &context, || cloud.serve("", takes, Ok(()))));
    let stalls = async {
        yield_now().await;
        advance(Duration::from_secs(3)).await;
    };
    let (answers, ()) = tokio::join!(join_all(calls), stalls);
    assert!(answers.iter().all(Result::is_ok));
    // The stall passes for one tick; three more make the second.
    assert_eq!(cloud.millis(), [0, 0, 3750]);
}
