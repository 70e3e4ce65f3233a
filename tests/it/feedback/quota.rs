//! A quota that a launch has met: it is read at once, and what was learnt outlives a read that still
//! has the old numbers.

use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::aws::Filter;

use crate::harness::{ACCOUNT, P, Service, eventually, let_time_pass};

use super::{REGION, availability, met, report, service, set_limit, verdict};

async fn row(service: &Service) -> Value {
    service.get("/quotas/aws/us-east-1").await.quota(P)
}

#[tokio::test(start_paused = true)]
async fn a_stated_limit_counts_at_once_and_the_quota_is_read() {
    let (aws, service) = service().await;
    let reads = || {
        aws.controls()
            .calls(&Filter::any().operation("GetServiceQuota"))
    };
    let before = reads();
    let learnt = report(&service, json!({"error": met(96)})).await;
    assert_eq!(learnt["class"], "quota");
    assert_eq!(learnt["quota_code"], P);
    assert_eq!(learnt["quota_name"], "Running On-Demand P instances");
    assert_eq!(learnt["limit"], 96);
    assert!(learnt["until"].is_string());

    let shown = row(&service).await;
    assert_eq!(shown["limit"], 96);
    assert_eq!(shown["limit_source"], "learned");
    assert!(shown["observed_at"].is_string());
    let short = verdict(&service, "p5.48xlarge", false).await;
    assert_eq!(short["availability"], "no_quota");
    assert_eq!(short["quota"]["verdict"], "short");
    assert_eq!(short["quota"]["binding"]["limit_source"], "learned");
    // One that the stated limit holds is not the one that failed.
    assert_eq!(availability(&service, "p4d.24xlarge").await, "available");
    eventually("the quota is read", async || reads() > before).await;
}

#[tokio::test(start_paused = true)]
async fn it_outlives_a_read_with_the_old_numbers_and_ends_by_itself() {
    let (_aws, service) = service().await;
    report(&service, json!({"error": met(96)})).await;
    // Far longer than the read takes that the failure causes.
    let_time_pass(Duration::from_secs(120)).await;
    service.post("/refresh/aws/us-east-1").await;
    assert_eq!(row(&service).await["limit_source"], "learned");
    assert_eq!(availability(&service, "p5.48xlarge").await, "no_quota");
    let_time_pass(Duration::from_secs(61)).await;
    assert_eq!(row(&service).await["limit"], 384);
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_has_changed_ends_it() {
    let (aws, service) = service().await;
    report(&service, json!({"error": met(96)})).await;
    let_time_pass(Duration::from_secs(10)).await;
    set_limit(&aws.controls(), 768.0);
    service.post("/refresh/aws/us-east-1").await;
    let row = row(&service).await;
    assert_eq!(
        (&row["limit"], &row["limit_source"]),
        (&json!(768), &json!("applied"))
    );
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
}

#[tokio::test(start_paused = true)]
async fn a_launch_as_large_that_succeeds_ends_it() {
    let (_aws, service) = service().await;
    report(&service, json!({"error": met(96)})).await;
    let smaller = json!({"outcome": "launched", "instance_type": "p4d.24xlarge"});
    report(&service, smaller).await;
    assert_eq!(row(&service).await["limit"], 96);
    report(&service, json!({"outcome": "launched"})).await;
    assert_eq!(row(&service).await["limit"], 384);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_the_numbers_do_not_explain_hides_launches_as_large() {
    let (_aws, service) = service().await;
    // The limit that AWS states is the known one: what is in use must have been counted late.
    report(&service, json!({"error": met(384)})).await;
    let hidden = verdict(&service, "p5.48xlarge", false).await;
    assert_eq!(hidden["quota"]["verdict"], "fits");
    assert_eq!(hidden["availability"], "not_available");
    let reason = hidden["unavailable"]["reason"].as_str().unwrap();
    assert!(reason.contains("Running On-Demand P instances"), "{reason}");
    assert_eq!(availability(&service, "p4d.24xlarge").await, "available");
    let two_at_once = json!({"count": 2, "offers": [
        {"backend": "aws", "region": REGION, "instance_type": "p4d.24xlarge"}]});
    let two = super::post(&service, "/offers", &two_at_once).await.json();
    assert_eq!(two["verdicts"][0]["availability"], "not_available");
}

#[tokio::test(start_paused = true)]
async fn a_limit_without_a_number_hides_spot_launches_of_its_quota() {
    let (aws, service) = service().await;
    let g_spot = "L-3819A6DF";
    aws.controls()
        .set_limit(ACCOUNT, REGION, g_spot, 64.0)
        .unwrap();
    service.post("/refresh/aws/us-east-1").await;
    assert_eq!(
        verdict(&service, "g5.12xlarge", true).await["availability"],
        "available"
    );
    let learnt = report(
        &service,
        json!({
            "instance_type": "g5.8xlarge",
            "spot": true,
            "error": {"message": "An error occurred (MaxSpotInstanceCountExceeded) when calling \
                the RunInstances operation: Max spot instance count exceeded"},
        }),
    )
    .await;
    assert_eq!(learnt["quota_code"], g_spot);
    assert_eq!(learnt["limit"], json!(null));
    for (instance_type, availability) in [
        ("g5.4xlarge", "available"),
        ("g5.8xlarge", "not_available"),
        ("g5.12xlarge", "not_available"),
        ("g4dn.12xlarge", "not_available"),
    ] {
        let said = verdict(&service, instance_type, true).await;
        assert_eq!(said["availability"], availability, "{instance_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_in_another_unit_teach_no_limit() {
    let (_aws, service) = service().await;
    let message = "You have requested more instances (1) than your current instance limit of 0 \
                   allows for the specified instance type.";
    let learnt = report(&service, json!({"error": {"message": message}})).await;
    assert_eq!(learnt["class"], "quota");
    assert_eq!(row(&service).await["limit"], 384);
    assert_eq!(availability(&service, "p5.48xlarge").await, "not_available");
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_is_in_no_snapshot() {
    let aws = crate::harness::plain_aws().await;
    set_limit(&aws.controls(), 384.0);
    let setup = crate::harness::Setup::new(&aws).set("cache.directory", "data");
    let service = setup.start().await;
    service.ready().await;
    report(&service, json!({"error": met(96)})).await;
    service.post("/refresh/aws/us-east-1").await;
    service.stop().await;
    let next = setup.start().await;
    let row = next.get("/quotas/aws/us-east-1").await.quota(P);
    assert_eq!(
        (&row["limit"], &row["limit_source"]),
        (&json!(384), &json!("applied"))
    );
}
