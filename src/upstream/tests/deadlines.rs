//! Trying again, and answering the caller in time.

use std::sync::atomic::AtomicUsize;

use super::*;

/// One call of a cloud that fails so the first times it is called.
async fn call(
    upstream: &Upstream,
    cloud: &Cloud,
    context: &CallContext,
    failures: &[Failure],
) -> Result<(), Failure> {
    let tries = AtomicUsize::new(0);
    let attempt = || {
        let failure = failures.get(tries.fetch_add(1, Ordering::Relaxed));
        let result = failure.cloned().map_or(Ok(()), Err);
        cloud.serve("", Duration::ZERO, result)
    };
    upstream
        .value(&REGION.into(), &LIST, context, attempt)
        .await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_succeed_is_made_again() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    let context = context(Priority::Request, 60);
    let failures = [unavailable(), unavailable(), unavailable()];
    let answer = call(&upstream, &cloud, &context, &failures).await;
    assert_eq!(answer, Ok(()));
    let times = cloud.millis();
    assert_eq!(times.len(), 4);
    assert!(times[3] <= 200 + 400 + 800 + 3, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn after_four_tries_the_caller_gets_the_clouds_own_words() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    let context = context(Priority::Request, 60);
    let failures = vec![unavailable(); 10];
    let answer = call(&upstream, &cloud, &context, &failures).await;
    assert_eq!(answer, Err(unavailable()));
    assert_eq!(cloud.times().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_fail_again_is_not_made_again() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    for kind in [
        FailureKind::Denied,
        FailureKind::NotEnabled,
        FailureKind::NotFound,
        FailureKind::Malformed,
    ] {
        let context = context(Priority::Request, 60);
        let failure = Failure::new(kind, "no");
        let answer = call(&upstream, &cloud, &context, std::slice::from_ref(&failure)).await;
        assert_eq!(answer, Err(failure));
    }
    assert_eq!(cloud.times().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_holds_back_this_caller_and_every_other() {
    let (upstream, cloud) = (upstream(100.0, 100, 4), Cloud::new());
    let context = context(Priority::Request, 60);
    let failures = [throttled().retry_after(Duration::from_secs(7))];
    let other = async {
        sleep(Duration::from_secs(1)).await;
        call(&upstream, &cloud, &context, &[]).await
    };
    let answers = tokio::join!(call(&upstream, &cloud, &context, &failures), other);
    assert_eq!(answers, (Ok(()), Ok(())));
    let times = cloud.millis();
    assert_eq!(times.len(), 3);
    assert!(times[1] >= 7000 && times[2] <= 7300, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_is_told_at_once() {
    let (upstream, cloud) = (upstream(100.0, 100, 4), Cloud::new());
    let context = context(Priority::Request, 60);
    let failure = throttled().retry_after(Duration::from_secs(90));
    for failures in [std::slice::from_ref(&failure), &[]] {
        let refusal = call(&upstream, &cloud, &context, failures).await;
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.kind, FailureKind::Throttled);
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(90)));
        // The breaker says so, and why.
        let said = &refusal.detail;
        assert!(
            said.contains("breaker") && said.ends_with("Rate exceeded"),
            "{said}"
        );
    }
    assert_eq!(cloud.start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_makes_no_sense_is_bounded_whoever_is_told() {
    let half_an_hour = Some(Duration::from_secs(30 * 60));
    for asked in [Duration::from_secs(10 * 24 * 3600), Duration::MAX] {
        let (upstream, cloud) = (upstream(100.0, 100, 4), Cloud::new());
        let context = context(Priority::Request, 60);
        let failures = [throttled().retry_after(asked)];
        let told = call(&upstream, &cloud, &context, &failures).await;
        assert_eq!(told.unwrap_err().retry_after, half_an_hour);
        let refusal = call(&upstream, &cloud, &context, &[]).await.unwrap_err();
        assert_eq!(refusal.retry_after, half_an_hour);
        sleep(Duration::from_secs(30 * 60)).await;
        let context = self::context(Priority::Request, 60);
        assert_eq!(call(&upstream, &cloud, &context, &[]).await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_try_that_the_rate_leaves_no_time_for_ends_in_the_clouds_words_and_our_wait() {
    let (upstream, cloud) = (upstream(0.1, 1, 4), Cloud::new());
    let context = context(Priority::Request, 5);
    let failure = call(&upstream, &cloud, &context, &[unavailable()])
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert_eq!(failure.detail, unavailable().detail);
    assert!(failure.retry_after.unwrap() > Duration::from_secs(9));
    assert!(cloud.start.elapsed() <= Duration::from_millis(201));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_rate_that_would_pass_the_deadline_fails_at_once() {
    let (upstream, cloud) = (upstream(0.5, 1, 10), Cloud::new());
    let context = context(Priority::Request, 5);
    let callers = (0..5).map(|_| async {
        let answer = call(&upstream, &cloud, &context, &[]).await;
        (cloud.start.elapsed().as_secs(), answer)
    });
    let answers = futures_util::future::join_all(callers).await;
    for (index, (at, answer)) in answers.iter().enumerate() {
        match (index, answer) {
            (0..3, answer) => assert_eq!((*at, answer), (2 * index as u64, &Ok(()))),
            (_, Err(failure)) => {
                assert_eq!((*at, failure.kind), (0, FailureKind::Throttled));
                assert!(failure.detail.contains("rate limit"), "{failure}");
                // Both are told what is true when they ask: the other one is not in the queue.
                assert_eq!(failure.retry_after, Some(Duration::from_secs(6)));
            }
            (_, Ok(())) => panic!("the rate allows three calls in five seconds"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_ends_at_the_deadline() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    let context = context(Priority::Request, 5);
    let hang = || cloud.serve("", Duration::from_secs(3600), Ok(()));
    let failure = upstream
        .value(&REGION.into(), &LIST, &context, hang)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(cloud.start.elapsed(), Duration::from_secs(5));
    assert_eq!(cloud.running.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_a_place_is_answered_at_the_deadline() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    let (long, short) = (
        context(Priority::Request, 60),
        context(Priority::Request, 5),
    );
    let hang = || cloud.serve("", Duration::from_secs(30), Ok(()));
    let region = REGION.into();
    let second = async {
        let failure = call(&upstream, &cloud, &short, &[]).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(cloud.start.elapsed(), Duration::from_secs(5));
    };
    let (first, ()) = tokio::join!(upstream.value(&region, &LIST, &long, hang), second);
    assert_eq!(first, Ok(()));
    assert_eq!(cloud.times().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_after_the_deadline_costs_no_call() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    let context = context(Priority::Verify, 0);
    let failure = call(&upstream, &cloud, &context, &[]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(cloud.times().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_tells_when_the_attempt_that_brought_it_was_sent() {
    let (mut upstream, cloud) = (upstream(1.0, 1, 1), Cloud::new());
    let clock = Clock::starting_at("2026-11-27T20:00:00Z".parse().unwrap());
    upstream.shared.clock = clock;
    let context = context(Priority::Request, 60);
    let tries = AtomicUsize::new(0);
    let attempt = || async {
        let failure = (tries.fetch_add(1, Ordering::Relaxed) == 0).then(unavailable);
        let result = failure.map_or(Ok(()), Err);
        cloud.serve("", Duration::from_millis(300), result).await
    };
    let answer = upstream
        .call(&REGION.into(), &LIST, &context, attempt)
        .await
        .unwrap();
    let times = cloud.times();
    // The rate counts from the first answer.
    assert_eq!(times, [Duration::ZERO, Duration::from_millis(1300)]);
    assert_eq!(answer.sent_at.wall.to_string(), "2026-11-27T20:00:01.3Z");
    assert_eq!(answer.sent_at.age(clock.now()), Duration::from_millis(300));
}
