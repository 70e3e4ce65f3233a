//! Unknown quotas: an error that clients take for "unknown", once and soon.

use simulated_clouds::aws::{Fault, FaultKind};

use super::harness::{ACCOUNT, Oracle, P, Plan, STANDARD, refusal};

macro_rules! ask {
    ($client:expr, $code:expr) => {
        $client
            .get_service_quota()
            .service_code("ec2")
            .quota_code($code)
            .send()
    };
}

#[tokio::test(start_paused = true)]
async fn no_failure_of_aws_is_retried_by_a_client() {
    for kind in [
        FaultKind::Throttle,
        FaultKind::ServiceFailure,
        FaultKind::Unavailable,
        FaultKind::AccessDenied,
        FaultKind::Hang,
        FaultKind::Reset,
        FaultKind::BrokenJson,
        FaultKind::EmptyObject,
    ] {
        let oracle = Oracle::start(Plan::default()).await;
        oracle.aws.controls().inject(Fault::new(kind));
        let (status, code, message) = refusal!(ask!(oracle.sdk("us-east-1"), P));
        assert_eq!((status, &*code), (400, "AccessDeniedException"), "{kind:?}");
        assert!(!message.is_empty(), "{kind:?}");
        assert_eq!(oracle.answered(400).await, 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_not_enabled_answers_as_on_aws() {
    let oracle = Oracle::start(Plan::default()).await;
    let unrecognized = (400, "UnrecognizedClientException".to_owned());
    for client in [oracle.direct("eu-south-1"), oracle.sdk("eu-south-1")] {
        let (status, code, _) = refusal!(ask!(client, P));
        assert_eq!((status, code), unrecognized);
    }
    assert_eq!(oracle.answered(400).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_not_read_is_unknown() {
    let oracle = Oracle::start(Plan::default()).await;
    let (status, code, message) = refusal!(ask!(oracle.sdk("eu-west-1"), P));
    assert_eq!((status, &*code), (400, "AccessDeniedException"));
    assert!(message.contains("eu-west-1"), "{message}");
    assert_eq!(oracle.answered(400).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_unknown() {
    let oracle = Oracle::start(Plan {
        cache: "fresh_for = \"1ms\"\nstale_for = \"1ms\"",
        ..Plan::default()
    })
    .await;
    let (status, code, message) = refusal!(ask!(oracle.sdk("us-east-1"), P));
    assert_eq!((status, &*code), (400, "AccessDeniedException"));
    assert!(message.contains("expired"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_aws_cannot_tell_is_unknown_and_never_a_success_without_a_value() {
    let oracle = Oracle::start(Plan::default()).await;
    let reason = Some("DEPENDENCY_THROTTLING_ERROR");
    let controls = oracle.aws.controls();
    controls
        .set_error_reason(ACCOUNT, "us-east-1", P, reason)
        .unwrap();
    let client = oracle.sdk("us-east-1");
    let (status, code, _) = refusal!(ask!(client, P));
    assert_eq!((status, &*code), (400, "AccessDeniedException"));
    assert!(ask!(client, STANDARD).await.is_ok());

    let list = client.list_service_quotas().service_code("ec2");
    let quotas = list.send().await.unwrap().quotas.unwrap();
    assert!(quotas.iter().all(|quota| quota.value.is_some()));
    assert!(quotas.iter().all(|quota| quota.quota_code() != Some(P)));
}

#[tokio::test(start_paused = true)]
async fn a_quota_without_an_applied_value_does_not_exist_and_has_a_default() {
    let oracle = Oracle::start(Plan::default()).await;
    let controls = oracle.aws.controls();
    controls
        .remove_applied(ACCOUNT, "us-east-1", STANDARD)
        .unwrap();
    let client = oracle.sdk("us-east-1");
    let (status, code, _) = refusal!(ask!(client, STANDARD));
    assert_eq!((status, &*code), (400, "NoSuchResourceException"));
    let default = client.get_aws_default_service_quota();
    let default = default.service_code("ec2").quota_code(STANDARD).send();
    let default = default.await.unwrap().quota.unwrap();
    assert_eq!(default.value, Some(5.0));
    let arn = "arn:aws:servicequotas:us-east-1::ec2/L-1216C47A";
    assert_eq!(default.quota_arn(), Some(arn));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_once_known_outlives_the_failures_of_aws() {
    let oracle = Oracle::start(Plan::default()).await;
    let client = oracle.sdk("us-east-1");
    assert!(ask!(client, P).await.is_ok());
    oracle.aws.controls().inject(Fault::new(FaultKind::Hang));
    tokio::time::sleep(std::time::Duration::from_mins(20)).await;
    let quota = ask!(client, P).await.unwrap().quota.unwrap();
    assert_eq!(quota.value, Some(192.0));
}
