//! A cloud that refuses for a long time is left alone, and noticed when it is back.

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::*;

/// A call that the cloud throttles until so many seconds after the start.
async fn call(upstream: &Upstream, cloud: &Cloud, back_after: u64) -> Result<(), Failure> {
    let context = context(Priority::Request, 10);
    let attempt = || {
        let back = cloud.start.elapsed() >= Duration::from_secs(back_after);
        let result = if back { Ok(()) } else { Err(throttled()) };
        cloud.serve("", Duration::from_millis(50), result)
    };
    upstream
        .value(&REGION.into(), &LIST, &context, attempt)
        .await
}

#[tokio::test(start_paused = true)]
async fn in_twenty_minutes_of_throttling_one_probe_goes_out_per_period() {
    let upstream = upstream(4.0, 4, 4);
    let cloud = Cloud::new();
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let back_after = 20 * 60;
    let mut answered_at = None;
    while answered_at.is_none() {
        seconds.tick().await;
        let calls = cloud.times().len();
        let asked = cloud.start.elapsed();
        let answer = call(&upstream, &cloud, back_after).await;
        let now = cloud.start.elapsed();
        match answer {
            Ok(()) => answered_at = Some(now),
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::Throttled);
                assert!(failure.detail.contains("circuit breaker"), "{failure}");
                assert!(failure.detail.contains("Rate exceeded"), "{failure}");
                let left = failure.retry_after.unwrap();
                assert!(left <= Duration::from_secs(330), "{left:?}");
                if cloud.times().len() == calls {
                    assert_eq!(now, asked, "without a probe the answer is immediate");
                }
            }
        }
    }

    let times = cloud.times();
    let gaps = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64());
    let gaps: Vec<f64> = gaps.skip(2).collect();
    // The three calls that opened it; then a probe after 30 s, 60 s, 120 s … 300 s, each a tenth
    // sooner or later and at the next second's call.
    let periods = [30.0, 60.0, 120.0, 240.0]
        .into_iter()
        .chain(std::iter::repeat(300.0));
    for (gap, period) in gaps.iter().zip(periods) {
        assert!(
            (period * 0.9..=period * 1.1 + 1.1).contains(gap),
            "{gaps:?}"
        );
    }
    let opened = times[2];
    assert!(opened <= Duration::from_secs(3), "{opened:?}");
    // The first probe after the cloud is back heals.
    let answered_at = answered_at.unwrap().as_secs();
    assert!(answered_at <= back_after + 332, "{answered_at}");
    let back = times.iter().filter(|at| at.as_secs() >= back_after);
    assert_eq!(back.count(), 1);
    for _ in 0..5 {
        assert_eq!(call(&upstream, &cloud, back_after).await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn other_operations_and_regions_go_on() {
    let upstream = upstream(4.0, 4, 4);
    let cloud = Cloud::new();
    let failure = call(&upstream, &cloud, 3600).await.unwrap_err();
    assert!(failure.detail.contains("circuit breaker"), "{failure}");
    let get = Operation {
        name: "GetServiceQuota",
        ..LIST
    };
    for (region, operation) in [(REGION, get), ("eu-west-1", LIST)] {
        let context = context(Priority::Request, 10);
        let answer = upstream
            .value(&region.into(), &operation, &context, || cloud.answer(""))
            .await;
        assert_eq!(answer, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_when_it_opens_learn_why_at_once() {
    let upstream = upstream(4.0, 4, 4);
    let cloud = Cloud::new();
    let answers = join_all((0..20).map(|_| call(&upstream, &cloud, 3600))).await;
    for answer in answers {
        let failure = answer.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Throttled);
        assert!(failure.detail.contains("Rate exceeded"), "{failure}");
    }
    assert!(cloud.times().len() <= 6, "{:?}", cloud.times());
    assert!(cloud.start.elapsed() <= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_cannot_be_reached_is_left_alone_too() {
    let upstream = upstream(100.0, 100, 1);
    let cloud = Cloud::new();
    let refuse = || cloud.serve("", Duration::ZERO, Err(unavailable()));
    let mut last = None;
    for _ in 0..3 {
        let context = context(Priority::Request, 10);
        let answer = upstream
            .value(&REGION.into(), &LIST, &context, refuse)
            .await;
        last = answer.err();
    }
    let failure = last.unwrap();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(failure.detail.contains("connection refused"), "{failure}");
    assert!(failure.retry_after.is_some());
    assert_eq!(cloud.times().len(), 5);
}

/// Opens the breaker of a cloud that cannot be reached, waits until a probe is due, and lets five
/// callers come at once, the first of whom probes; gives their answers with their times since.
///
/// Each call then takes a second. Nothing was throttled, so that the rate alone spaces no calls.
async fn around_a_probe(
    upstream: &Upstream,
    cloud: &Cloud,
    probe: Result<(), Failure>,
) -> Vec<(Duration, Result<(), Failure>)> {
    while cloud.times().len() < 5 {
        let context = context(Priority::Request, 10);
        let refuse = || cloud.serve("", Duration::ZERO, Err(unavailable()));
        let answer = upstream
            .value(&REGION.into(), &LIST, &context, refuse)
            .await;
        assert!(answer.is_err());
    }
    sleep(Duration::from_secs(40)).await;
    let before = cloud.times().len();
    let start = Instant::now();
    let callers = (0..5).map(|_| async {
        let context = context(Priority::Request, 30);
        let attempt = || {
            let first = cloud.times().len() == before;
            let result = if first { probe.clone() } else { Ok(()) };
            cloud.serve("", Duration::from_secs(1), result)
        };
        let answer = upstream
            .value(&REGION.into(), &LIST, &context, attempt)
            .await;
        (start.elapsed(), answer)
    });
    join_all(callers).await
}

#[tokio::test(start_paused = true)]
async fn the_others_wait_for_the_probe_and_go_on_slowly_when_it_heals() {
    let (upstream, cloud) = (upstream(4.0, 4, 4), Cloud::new());
    let answers = around_a_probe(&upstream, &cloud, Ok(())).await;
    assert!(
        answers.iter().all(|(_, answer)| answer.is_ok()),
        "{answers:?}"
    );
    let times = cloud.times();
    let after: Vec<_> = times[5..].iter().map(|at| *at - times[5]).collect();
    assert!(after[1] >= Duration::from_secs(1), "{after:?}");
    // No burst, and half of the four calls a second at first.
    let slowly = |pair: &[Duration]| pair[1] - pair[0] >= Duration::from_millis(450);
    assert!(after.windows(2).all(slowly), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn the_others_fail_with_the_probe_which_is_not_tried_again() {
    let (upstream, cloud) = (upstream(4.0, 4, 4), Cloud::new());
    let answers = around_a_probe(&upstream, &cloud, Err(throttled())).await;
    for (after, answer) in answers {
        let failure = answer.unwrap_err();
        assert!(failure.detail.contains("Rate exceeded"), "{failure}");
        let left = failure.retry_after.unwrap().as_secs();
        assert!((54..=66).contains(&left), "twice the first period: {left}");
        assert!(after <= Duration::from_millis(1001), "{after:?}");
    }
    assert_eq!(cloud.times().len(), 6);
}
