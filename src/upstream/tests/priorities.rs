//! Priorities: verify before request before background, decided when a call can be sent.

use futures_util::future::join_all;

use super::*;

#[tokio::test(start_paused = true)]
async fn verify_goes_before_request_before_background() {
    let upstream = upstream(1.0, 1, 1);
    let cloud = Cloud::new();
    let region = REGION.into();
    let callers = [
        ("first", Priority::Background),
        ("background 1", Priority::Background),
        ("background 2", Priority::Background),
        ("request 1", Priority::Request),
        ("request 2", Priority::Request),
        ("verify", Priority::Verify),
    ];
    let answers = join_all(callers.map(|(name, priority)| {
        let (upstream, cloud, region) = (&upstream, &cloud, &region);
        async move {
            let context = context(priority, 60);
            upstream
                .value(region, &LIST, &context, || cloud.answer(name))
                .await
        }
    }))
    .await;
    assert!(answers.iter().all(Result::is_ok));
    let order = [
        "first",
        "verify",
        "request 1",
        "request 2",
        "background 1",
        "background 2",
    ];
    assert_eq!(cloud.callers(), order);
}

/// Returns the wait of a request that arrives in the middle of a hundred background calls, each
/// of which takes so long.
async fn wait_in_a_flood(upstream: Upstream, takes: Duration) -> Duration {
    let cloud = Cloud::new();
    let region = REGION.into();
    let flood = join_all((0..100).map(|_| async {
        let context = context(Priority::Background, 3600);
        let work = || cloud.serve("flood", takes, Ok(()));
        upstream.value(&region, &LIST, &context, work).await
    }));
    let request = async {
        sleep(Duration::from_millis(1100)).await;
        let context = context(Priority::Request, 60);
        let asked = cloud.start.elapsed();
        let answer = upstream
            .value(&region, &LIST, &context, || cloud.answer("request"))
            .await;
        assert_eq!(answer, Ok(()));
        asked
    };
    let (answers, asked) = tokio::join!(flood, request);
    assert!(answers.iter().all(Result::is_ok));
    let position = cloud.callers().iter().position(|it| it == "request");
    cloud.times()[position.unwrap()] - asked
}

#[tokio::test(start_paused = true)]
async fn a_background_flood_delays_a_request_by_no_more_than_one_slot() {
    let slot = Duration::from_millis(250);
    let quick = Duration::from_millis(10);
    assert!(wait_in_a_flood(upstream(4.0, 4, 4), quick).await <= slot);
    let one_place = Duration::from_millis(400);
    assert!(wait_in_a_flood(upstream(4.0, 4, 1), one_place).await <= one_place);
}

#[tokio::test(start_paused = true)]
async fn slow_background_calls_leave_a_place_for_a_caller() {
    let slow = Duration::from_secs(10);
    let waited = wait_in_a_flood(upstream(4.0, 4, 4), slow).await;
    assert_eq!(waited, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_background_call_that_a_caller_joins_moves_ahead() {
    let upstream = upstream(1.0, 1, 1);
    let cloud = Cloud::new();
    let region = REGION.into();
    let joined = context(Priority::Background, 60);
    let call = |name: &'static str, context: CallContext| {
        let (upstream, cloud, region) = (&upstream, &cloud, &region);
        async move {
            upstream
                .value(region, &LIST, &context, || cloud.answer(name))
                .await
        }
    };
    let raise = async {
        sleep(Duration::from_millis(500)).await;
        joined.urgency.raise(Priority::Verify);
    };
    let answers = tokio::join!(
        call("first", context(Priority::Request, 60)),
        call("request", context(Priority::Request, 60)),
        call("background", context(Priority::Background, 60)),
        call("joined", joined.clone()),
        raise,
    );
    assert_eq!(answers, (Ok(()), Ok(()), Ok(()), Ok(()), ()));
    assert_eq!(
        cloud.callers(),
        ["first", "joined", "request", "background"]
    );
    assert_eq!(cloud.millis(), [0, 1000, 2000, 3000]);
}

#[tokio::test(start_paused = true)]
async fn a_background_call_that_a_caller_joins_takes_the_place_left_for_callers() {
    let upstream = upstream(100.0, 100, 2);
    let cloud = Cloud::new();
    let region = REGION.into();
    let joined = context(Priority::Background, 60);
    let slow = |context: CallContext| {
        let (upstream, cloud, region) = (&upstream, &cloud, &region);
        async move {
            let work = || cloud.serve("", Duration::from_secs(10), Ok(()));
            upstream.value(region, &LIST, &context, work).await
        }
    };
    let raise = async {
        sleep(Duration::from_secs(3)).await;
        joined.urgency.raise(Priority::Request);
    };
    let (first, second, ()) = tokio::join!(
        slow(context(Priority::Background, 60)),
        slow(joined.clone()),
        raise
    );
    assert_eq!((first, second), (Ok(()), Ok(())));
    // In the very moment in which its urgency rises.
    assert_eq!(cloud.millis(), [0, 3000]);
}
