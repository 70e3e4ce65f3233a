//! A want of capacity: offers are passed over for a while.

use std::time::Duration;

use serde_json::json;

use crate::harness::let_time_pass;

use super::{availability, delete, no_capacity, report, service, verdict};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn the_offer_is_passed_over_for_minutes_in_its_market_alone() {
    let (_aws, service) = service().await;
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
    let learnt = report(&service, json!({"error": no_capacity()})).await;
    assert_eq!(learnt["class"], "capacity");
    assert_eq!(learnt["scope"]["level"], "offer");
    assert_eq!(learnt["scope"]["zone"], "us-east-1c");
    assert_eq!(learnt["transient"], true);

    let hidden = verdict(&service, "p5.48xlarge", false).await;
    assert_eq!(hidden["availability"], "not_available");
    assert_eq!(
        hidden["quota"]["verdict"], "fits",
        "the quotas are as they were"
    );
    assert_eq!(hidden["unavailable"]["until"], learnt["until"]);
    let reason = hidden["unavailable"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("p5.48xlarge") && reason.contains("us-east-1c"),
        "{reason}"
    );
    // The quota of spot requests is zero, which stays.
    assert_eq!(
        verdict(&service, "p5.48xlarge", true).await["availability"],
        "no_quota"
    );
    assert_eq!(availability(&service, "p4d.24xlarge").await, "available");

    let path = "/offers?instance_type=p5.48xlarge&region=us-east-1&spot=false";
    let listed = service.get(path).await.json();
    assert_eq!(
        listed["offers"][0]["availability"], "not_available",
        "{listed}"
    );
    let filtered = service.get(&format!("{path}&availability=available")).await;
    assert_eq!(filtered.json()["total"], 0);

    let_time_pass(3 * MINUTE - Duration::from_secs(5)).await;
    assert_eq!(availability(&service, "p5.48xlarge").await, "not_available");
    let_time_pass(Duration::from_secs(6)).await;
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
    assert_eq!(
        service.get(path).await.json()["offers"][0]["availability"],
        "available"
    );
}

#[tokio::test(start_paused = true)]
async fn a_repetition_holds_longer_and_a_success_ends_it() {
    let (_aws, service) = service().await;
    report(&service, json!({"error": no_capacity()})).await;
    let_time_pass(3 * MINUTE).await;
    report(&service, json!({"error": no_capacity()})).await;
    let_time_pass(5 * MINUTE).await;
    assert_eq!(availability(&service, "p5.48xlarge").await, "not_available");

    let learnt = report(&service, json!({"outcome": "launched"})).await;
    assert_eq!(learnt["class"], json!(null));
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
    // The next failure begins anew.
    report(&service, json!({"error": no_capacity()})).await;
    let_time_pass(3 * MINUTE + Duration::from_secs(1)).await;
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
}

#[tokio::test(start_paused = true)]
async fn a_type_that_the_region_does_not_have_is_passed_over_for_hours() {
    let (_aws, service) = service().await;
    let not_in = |zone: &str| {
        json!({"error": {"code": "Unsupported", "message": format!(
            "Your requested instance type (p5.48xlarge) is not supported in your requested \
             Availability Zone ({zone}). Please retry your request by not specifying an \
             Availability Zone or choosing us-east-1a.")}})
    };
    let learnt = report(&service, not_in("us-east-1e")).await;
    assert_eq!(learnt["scope"]["level"], "not_offered");
    assert_eq!(learnt["until"], json!(null), "another zone may have it");
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
}

#[tokio::test(start_paused = true)]
async fn an_operator_makes_it_forget() {
    let (_aws, service) = service().await;
    report(&service, json!({"error": no_capacity()})).await;
    assert_eq!(delete(&service, "/feedback/aws").await.status, 204);
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
    delete(&service, "/feedback/none")
        .await
        .problem(404, "unknown-backend");
}

#[tokio::test(start_paused = true)]
async fn other_causes_and_unknown_errors_hide_no_offer() {
    let (_aws, service) = service().await;
    for (code, class) in [
        ("RequestLimitExceeded", "throttle"),
        ("UnauthorizedOperation", "credentials"),
        ("InvalidAMIID.NotFound", "configuration"),
        ("SomethingNew", "other"),
    ] {
        let learnt = report(&service, json!({"error": {"code": code}})).await;
        assert_eq!(learnt["class"], class);
        assert_eq!(learnt["until"], json!(null));
        assert_eq!(availability(&service, "p5.48xlarge").await, "available");
        let labels = format!("backend=\"aws\",class=\"{class}\"");
        assert_eq!(service.metric("feedback_total", &labels).await, 1.0);
    }
}
