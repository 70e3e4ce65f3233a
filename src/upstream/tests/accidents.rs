//! Callers that go away and attempts that panic leave nothing behind.

use std::sync::Arc;

use tokio::time::timeout;

use super::*;

async fn answered(upstream: &Upstream, cloud: &Cloud) -> Duration {
    let context = context(Priority::Request, 60);
    let answer = upstream
        .value(&REGION.into(), &LIST, &context, || cloud.answer(""))
        .await;
    assert_eq!(answer, Ok(()));
    cloud.start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_frees_its_place() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    for sync in [true, false] {
        let upstream = upstream.clone();
        let panics = tokio::spawn(async move {
            let context = context(Priority::Request, 60);
            let attempt = || {
                assert!(!sync, "before its future was made");
                async { panic!("while it was under way") }
            };
            upstream
                .call::<(), _, _>(&REGION.into(), &LIST, &context, attempt)
                .await
        });
        assert!(panics.await.unwrap_err().is_panic());
    }
    assert!(answered(&upstream, &cloud).await < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_during_a_call_frees_its_place() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Arc::new(Cloud::new()));
    let context = context(Priority::Request, 60);
    let region = REGION.into();
    let hang = || cloud.serve("", Duration::from_secs(30), Ok(()));
    let call = upstream.value(&region, &LIST, &context, hang);
    assert!(timeout(Duration::from_secs(1), call).await.is_err());
    let metrics = upstream.shared.metrics.render([].iter(), [], [], []);
    let line = r#"quota_oracle_upstream_calls_total{backend="aws",region="us-east-1",operation="ListServiceQuotas",outcome="abandoned"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    assert_eq!(answered(&upstream, &cloud).await, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_in_the_queue_lets_the_next_one_go() {
    let (upstream, cloud) = (upstream(1.0, 1, 1), Cloud::new());
    assert_eq!(answered(&upstream, &cloud).await, Duration::ZERO);
    let context = context(Priority::Verify, 60);
    let region = REGION.into();
    let first = upstream.value(&region, &LIST, &context, || cloud.answer("impatient"));
    let (first, next) = tokio::join!(
        timeout(Duration::from_millis(500), first),
        answered(&upstream, &cloud)
    );
    assert!(first.is_err());
    assert_eq!(next, Duration::from_secs(1));
    assert_eq!(cloud.times().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_that_hang_up_early_say_nothing_about_the_cloud() {
    let (upstream, cloud) = (upstream(100.0, 100, 1), Cloud::new());
    for _ in 0..20 {
        let context = context(Priority::Request, 1);
        let hang = || cloud.serve("", Duration::from_secs(2), Ok(()));
        let failure = upstream
            .value(&REGION.into(), &LIST, &context, hang)
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
    }
    assert_eq!(answered(&upstream, &cloud).await, Duration::from_secs(20));
}
