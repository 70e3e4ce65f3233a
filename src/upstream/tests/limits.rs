//! No more calls are sent than the limits allow, under any load and with any failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;

/// One caller: when it comes, how urgently, and after how long it hangs up.
#[derive(Clone, Debug)]
struct Arrival {
    after: Duration,
    priority: Priority,
    raised: bool,
    deadline: u64,
    patience: Duration,
}

/// The cloud's treatment of one call.
#[derive(Clone, Debug)]
struct Treatment {
    takes: Duration,
    failure: Option<FailureKind>,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let priority = prop_oneof![
        Just(Priority::Verify),
        Just(Priority::Request),
        Just(Priority::Background)
    ];
    let patience = prop_oneof![4 => Just(3_600_000), 1 => 0..5000_u64];
    (0..4000_u64, priority, any::<bool>(), 0..30_u64, patience).prop_map(
        |(after, priority, raised, deadline, patience)| Arrival {
            after: Duration::from_millis(after),
            priority,
            raised,
            deadline,
            patience: Duration::from_millis(patience),
        },
    )
}

fn treatment() -> impl Strategy<Value = Treatment> {
    let failure = prop_oneof![
        6 => Just(None),
        2 => Just(Some(FailureKind::Throttled)),
        1 => Just(Some(FailureKind::Unavailable)),
        1 => Just(Some(FailureKind::NotFound)),
    ];
    (0..800_u64, failure).prop_map(|(takes, failure)| Treatment {
        takes: Duration::from_millis(takes),
        failure,
    })
}

async fn one_caller(
    upstream: Upstream,
    cloud: Arc<Cloud>,
    treatments: Arc<(Vec<Treatment>, AtomicUsize)>,
    arrival: Arrival,
) {
    sleep(arrival.after).await;
    let context = context(arrival.priority, arrival.deadline);
    let deadline = Instant::from_std(context.deadline);
    let urgency = context.urgency.clone();
    let region = REGION.into();
    let call = upstream.value(&region, &LIST, &context, || {
        let (list, next) = &*treatments;
        let treatment = &list[next.fetch_add(1, Ordering::Relaxed) % list.len()];
        let result = treatment
            .failure
            .map_or(Ok(()), |kind| Err(Failure::new(kind, "as it is treated")));
        cloud.serve("", treatment.takes, result)
    });
    let raise = async {
        sleep(Duration::from_millis(100)).await;
        if arrival.raised {
            urgency.raise(Priority::Verify);
        }
    };
    let _ = tokio::join!(timeout(arrival.patience, call), raise);
    // Timers are a millisecond coarse; the pause before a raise is the longest besides.
    assert!(Instant::now() <= deadline + Duration::from_millis(102));
}

/// A leaked place would keep the last of these from going out with the others.
async fn all_places_can_be_filled(upstream: &Upstream, concurrency: u32) {
    let region = REGION.into();
    sleep(Duration::from_secs(600)).await;
    let first = context(Priority::Request, 3600);
    let answer = upstream
        .value(&region, &LIST, &first, async || Ok(()))
        .await;
    assert_eq!(answer, Ok(()));
    let barrier = Arc::new(Barrier::new(concurrency as usize));
    let mut calls = JoinSet::new();
    for _ in 0..concurrency {
        let (upstream, barrier) = (upstream.clone(), Arc::clone(&barrier));
        calls.spawn(async move {
            let context = context(Priority::Request, 3600);
            let meet = || async {
                barrier.wait().await;
                Ok(())
            };
            upstream.value(&REGION.into(), &LIST, &context, meet).await
        });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn never_more_than_burst_and_rate_allow_whoever_calls_and_whatever_fails(
        per_second in 0.5..20.0_f64,
        burst in 1..6_u32,
        concurrency in 1..5_u32,
        arrivals in proptest::collection::vec(arrival(), 1..40),
        treatments in proptest::collection::vec(treatment(), 1..40),
    ) {
        paused().block_on(async {
            let upstream = upstream(per_second, burst, concurrency);
            let cloud = Arc::new(Cloud::new());
            let treatments = Arc::new((treatments, AtomicUsize::new(0)));
            let mut callers = JoinSet::new();
            for arrival in arrivals {
                callers.spawn(one_caller(
                    upstream.clone(),
                    Arc::clone(&cloud),
                    Arc::clone(&treatments),
                    arrival,
                ));
            }
            callers.join_all().await;

            let times = cloud.times();
            for (i, from) in times.iter().enumerate() {
                for (calls, to) in times[i..].iter().enumerate() {
                    let seconds = (*to - *from).as_secs_f64();
                    let allowed = f64::from(burst) + per_second * seconds + 1e-6;
                    assert!((calls + 1) as f64 <= allowed, "{times:?}");
                }
            }
            assert!(cloud.most_running.load(Ordering::Relaxed) <= concurrency);
            assert_eq!(cloud.running.load(Ordering::Relaxed), 0);
            all_places_can_be_filled(&upstream, concurrency).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_under_way_than_there_are_places() {
    let upstream = upstream(100.0, 100, 3);
    let cloud = Cloud::new();
    let region = REGION.into();
    let context = context(Priority::Request, 60);
    let takes = Duration::from_secs(1);
    let call = || upstream.value(&region, &LIST, &context, || cloud.serve("", takes, Ok(())));
    let answers = futures_util::future::join_all((0..7).map(|_| call())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(cloud.most_running.load(Ordering::Relaxed), 3);
    assert_eq!(cloud.times().last().unwrap().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_operation_in_each_region_has_limits_of_its_own_that_clones_share() {
    let upstream = upstream(1.0, 1, 1);
    let cloud = Cloud::new();
    let get = Operation {
        name: "GetServiceQuota",
        ..LIST
    };
    for (region, operation) in [
        (REGION, LIST),
        (REGION, get),
        ("eu-west-1", LIST),
        (REGION, LIST),
    ] {
        let context = context(Priority::Request, 60);
        let (upstream, region) = (upstream.clone(), region.into());
        let answer = upstream
            .value(&region, &operation, &context, || cloud.answer(""))
            .await;
        assert_eq!(answer, Ok(()));
    }
    assert_eq!(cloud.millis(), [0, 0, 0, 1000]);
}

#[tokio::test(start_paused = true)]
async fn a_documented_limit_below_the_configured_one_holds() {
    let upstream = upstream(100.0, 100, 10);
    let cloud = Cloud::new();
    let slow = Operation {
        name: "AssociateServiceQuotaTemplate",
        documented: Rate {
            per_second: 1.0,
            burst: 1.try_into().unwrap(),
        },
    };
    let region = REGION.into();
    for _ in 0..3 {
        let context = context(Priority::Request, 60);
        let answer = upstream
            .value(&region, &slow, &context, || cloud.answer(""))
            .await;
        assert_eq!(answer, Ok(()));
    }
    assert_eq!(cloud.millis(), [0, 1000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn one_throttling_answer_halves_the_pace_and_many_at_once_do_no_more() {
    for at_once in [1, 4] {
        let upstream = upstream(4.0, 8, 8);
        let cloud = Cloud::new();
        let region = REGION.into();
        let throttle = || async {
            // The deadline leaves no time for another try.
            let takes = Duration::from_millis(999);
            let context = context(Priority::Request, 1);
            let attempt = || cloud.serve("", takes, Err(throttled()));
            upstream.value(&region, &LIST, &context, attempt).await
        };
        let answers = futures_util::future::join_all((0..at_once).map(|_| throttle())).await;
        assert!(answers.iter().all(Result::is_err));
        let context = context(Priority::Request, 60);
        for _ in 0..2 {
            let answer = upstream
                .value(&region, &LIST, &context, || cloud.answer(""))
                .await;
            assert_eq!(answer, Ok(()));
        }
        // Half of 4 a second, then a twentieth more: 1 / (4 × 0.55) s.
        assert_eq!(cloud.millis()[at_once..], [1499, 1954]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_how_they_ended() {
    let upstream = upstream(100.0, 100, 10);
    let region = REGION.into();
    let context = context(Priority::Request, 60);
    let tries = AtomicUsize::new(0);
    let answer = upstream
        .value(&region, &LIST, &context, async || {
            match tries.fetch_add(1, Ordering::Relaxed) {
                0 => Err(throttled()),
                1 => Err(unavailable()),
                _ => Ok(()),
            }
        })
        .await;
    assert_eq!(answer, Ok(()));
    let text = upstream.shared.metrics.render([].iter(), [], [], []);
    let labels = r#"backend="aws",region="us-east-1",operation="ListServiceQuotas""#;
    for outcome in ["ok", "throttled", "unavailable"] {
        let line = format!("quota_oracle_upstream_calls_total{{{labels},outcome=\"{outcome}\"}} 1");
        assert!(text.contains(&line), "{line} is missing:\n{text}");
    }
    let line = format!("quota_oracle_upstream_throttled_total{{{labels}}} 1");
    assert!(text.contains(&line), "{line} is missing:\n{text}");
    assert!(text.contains(r#"quota_oracle_upstream_wait_seconds_count{backend="aws"} 3"#));
}
