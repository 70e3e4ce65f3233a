//! A limit that AWS cannot tell for now is not forgotten.

use std::time::Duration;

use serde_json::Value;

use super::REGION;
use crate::harness::{ACCOUNT, P, Setup, let_time_pass, plain_aws};

#[tokio::test(start_paused = true)]
async fn a_limit_is_kept_while_the_service_behind_it_is_in_trouble_but_not_for_ever() {
    let aws = plain_aws().await;
    let cloud = aws.controls();
    cloud.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    let setup = Setup::new(&aws)
        .set("cache.stale_for", "10m")
        .set("cache.fresh_for", "2m")
        .set("backends.0.refresh_every", "1m");
    let service = setup.start().await;
    service.ready().await;

    let trouble = Some("DEPENDENCY_THROTTLING_ERROR");
    cloud
        .set_error_reason(ACCOUNT, "us-east-1", P, trouble)
        .unwrap();
    let_time_pass(Duration::from_secs(5 * 60)).await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.quota(P)["limit"], 192);
    assert_eq!(answer.quota(P)["usage"], 0, "which is read all the same");
    let gap = &answer.json()["gaps"][0];
    assert_eq!(gap["kind"], "throttled");
    let detail = gap["detail"].as_str().unwrap();
    assert!(detail.contains("ec2/L-417A185B"), "{detail}");

    let_time_pass(Duration::from_secs(7 * 60)).await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.json()["freshness"], "fresh");
    assert_eq!(answer.quota(P)["limit"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_the_account_may_not_see_any_more_is_unknown_at_once() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let trouble = Some("DEPENDENCY_ACCESS_DENIED_ERROR");
    aws.controls()
        .set_error_reason(ACCOUNT, "us-east-1", P, trouble)
        .unwrap();
    service.post("/refresh/aws/us-east-1").await;
    assert_eq!(service.get(REGION).await.quota(P)["limit"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn trouble_with_one_limit_keeps_no_usage_that_the_report_no_longer_tells() {
    const G: &str = "L-DB2E81BA";
    let aws = plain_aws().await;
    let cloud = aws.controls();
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    assert_eq!(service.get(REGION).await.quota(G)["usage"], 0);
    let trouble = Some("DEPENDENCY_THROTTLING_ERROR");
    cloud
        .set_error_reason(ACCOUNT, "us-east-1", P, trouble)
        .unwrap();
    // An account without an applied value of it has no utilization of it either.
    cloud.remove_applied(ACCOUNT, "us-east-1", G).unwrap();
    service.post("/refresh/aws/us-east-1").await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.quota(P)["limit"], 0);
    assert_eq!(answer.quota(G)["limit_source"], "default");
    assert_eq!(answer.quota(G)["usage"], Value::Null);
}
