//! First calls arrive late, and the cloud counts calls when they arrive.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;

/// AWS's bucket for reads of one quota: five calls, five more a second.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    fn full() -> Self {
        Self {
            tokens: 5.0,
            filled_at: Instant::now(),
        }
    }

    /// Counts a call that arrives now; whether it is let through.
    fn admits(&mut self) -> bool {
        let now = Instant::now();
        let since = (now - self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + since * 5.0).min(5.0);
        self.filled_at = now;
        let is_admitted = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(is_admitted));
        is_admitted
    }
}

/// Makes calls at the rate and burst of the AWS client; the first of them, which make connections,
/// are on their way for longer than the others. Returns how many were throttled, and the time.
async fn calls(count: usize, connecting: Duration, way: Duration) -> (usize, Duration) {
    let upstream = upstream(4.0, 4, 8);
    let bucket = Arc::new(Mutex::new(Bucket::full()));
    let connections = Arc::new(AtomicU32::new(0));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..count {
        let (upstream, bucket) = (upstream.clone(), Arc::clone(&bucket));
        let connections = Arc::clone(&connections);
        callers.spawn(async move {
            let attempt = || async {
                let is_first = connections.fetch_add(1, Ordering::Relaxed) < 4;
                sleep(if is_first { connecting + way } else { way }).await;
                let is_admitted = bucket.lock().unwrap().admits();
                sleep(way).await;
                // Not as a failure: the limiter would slow down, and hide the next one.
                Ok(is_admitted)
            };
            let context = context(Priority::Request, 60);
            let region = REGION.into();
            let answer = upstream.value(&region, &LIST, &context, attempt);
            answer.await.unwrap()
        });
    }
    let answers = callers.join_all().await;
    let throttled = answers.iter().filter(|is_admitted| !**is_admitted);
    (throttled.count(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_read_of_a_region_on_another_continent_is_not_throttled() {
    let (throttled, took) = calls(21, Duration::from_millis(600), Duration::from_millis(120)).await;
    assert_eq!(throttled, 0);
    // The rate allows 4.25 s; the first answer comes after 0.84 s, and the last after its own.
    assert_eq!(took, Duration::from_millis(840 + 4250 + 240));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_late_the_first_calls_arrive_none_is_throttled(
        count in 1..40_usize, connecting in 0..2100_u64, way in 0..100_u64,
    ) {
        let times = [connecting, way].map(Duration::from_millis);
        let (throttled, _) = paused().block_on(calls(count, times[0], times[1]));
        prop_assert_eq!(throttled, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_call_that_is_never_answered_holds_the_others_up_for_two_seconds() {
    let (upstream, cloud) = (upstream(4.0, 1, 4), Cloud::new());
    let hung = async {
        let context = context(Priority::Request, 60);
        let never = || async { std::future::pending::<Result<(), Failure>>().await };
        let region = REGION.into();
        upstream.value(&region, &LIST, &context, never).await
    };
    let second = async {
        sleep(Duration::from_millis(1)).await;
        let context = context(Priority::Request, 60);
        let attempt = || cloud.serve("", Duration::ZERO, Ok(()));
        let region = REGION.into();
        upstream.value(&region, &LIST, &context, attempt).await
    };
    tokio::select! {
        _ = hung => panic!("it was answered"),
        answer = second => assert_eq!(answer, Ok(())),
    }
    // It may have arrived at the end of them, and the rate counts from there.
    assert_eq!(cloud.times(), [Duration::from_millis(2250)]);
}
