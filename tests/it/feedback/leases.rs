//! The lease of a launch, which its report settles.

use serde_json::{Value, json};

use crate::harness::Service;

use super::{REGION, availability, met, no_capacity, post, report, service};

/// Takes a lease for two large machines, all that there is room for.
async fn leased(service: &Service) -> String {
    let wish = json!({"count": 2, "ttl": "5m", "offer": {
        "backend": "aws", "region": REGION, "instance_type": "p5.48xlarge"}});
    let lease = post(service, "/leases", &wish).await;
    assert_eq!(lease.status, 201, "{}", lease.text());
    lease.json()["id"].as_str().unwrap().to_owned()
}

async fn states(service: &Service) -> Vec<Value> {
    let body = service.get("/leases").await.json();
    let leases = body["leases"].as_array().unwrap().iter();
    leases.map(|lease| lease["state"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_success_commits_it_and_contradicts_nothing() {
    let (_aws, service) = service().await;
    let lease = leased(&service).await;
    assert_eq!(availability(&service, "p5.48xlarge").await, "no_quota");
    report(
        &service,
        json!({"outcome": "launched", "count": 2, "lease": lease}),
    )
    .await;
    assert_eq!(states(&service).await, ["committed"]);
    let body = service.get("/quotas/aws").await.json();
    assert_eq!(body["contradictions"], json!([]));
    let labels = "backend=\"aws\",verdict=\"fits\",outcome=\"launched\"";
    assert_eq!(service.metric("outcomes_total", labels).await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_releases_it() {
    let (_aws, service) = service().await;
    let lease = leased(&service).await;
    report(&service, json!({"error": no_capacity(), "lease": lease})).await;
    assert_eq!(states(&service).await, Vec::<Value>::new());
    assert_eq!(availability(&service, "p4d.24xlarge").await, "available");
    // One that has ended is not looked for any more.
    report(&service, json!({"error": no_capacity(), "lease": lease})).await;
}

#[tokio::test(start_paused = true)]
async fn room_that_was_leased_and_not_there_contradicts_the_verdict_of_that_time() {
    let (_aws, service) = service().await;
    let lease = leased(&service).await;
    report(
        &service,
        json!({"error": met(384), "count": 2, "lease": lease}),
    )
    .await;
    let body = service.get("/quotas/aws").await.json();
    assert_eq!(body["contradictions"][0]["verdict"], "fits");
    // The next to ask for a lease is refused, as the offer is passed over.
    let wish = json!({"count": 2, "offer": {
        "backend": "aws", "region": REGION, "instance_type": "p5.48xlarge"}});
    assert_eq!(post(&service, "/leases", &wish).await.status, 409);
}
