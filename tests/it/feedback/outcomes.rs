//! Outcomes beside the verdicts at that time.

use serde_json::{Value, json};

use crate::harness::Service;

use super::{met, no_capacity, report, service, set_limit};

async fn contradictions(service: &Service) -> Vec<Value> {
    let body = service.get("/quotas/aws").await.json();
    body["contradictions"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_should_have_fit_and_one_that_should_not_are_shown() {
    let (aws, service) = service().await;
    assert_eq!(contradictions(&service).await, Vec::<Value>::new());
    // No fault of the quotas.
    report(&service, json!({"error": no_capacity()})).await;
    report(&service, json!({"outcome": "launched"})).await;
    assert_eq!(contradictions(&service).await, Vec::<Value>::new());

    report(&service, json!({"error": met(96)})).await;
    // The verdict rests on what was learnt, and the quota has just been raised.
    set_limit(&aws.controls(), 768.0);
    report(&service, json!({"outcome": "launched"})).await;
    let shown = contradictions(&service).await;
    let said: Vec<_> = shown
        .iter()
        .map(|it| [&it["verdict"], &it["outcome"], &it["class"]])
        .collect();
    let expected = [
        [json!("short"), json!("launched"), json!(null)],
        [json!("fits"), json!("failed"), json!("quota")],
    ];
    assert_eq!(said, expected.each_ref().map(|row| row.each_ref()));
    assert_eq!(shown[1]["instance_type"], "p5.48xlarge");
    assert_eq!(shown[1]["spot"], false);
    let detail = shown[1]["detail"].as_str().unwrap();
    assert!(
        detail.contains("192 vCPU of Running On-Demand P instances"),
        "{detail}"
    );
    for (verdict, outcome, count) in [
        ("fits", "failed", 2.0),
        ("fits", "launched", 1.0),
        ("short", "launched", 1.0),
    ] {
        let labels = format!("backend=\"aws\",verdict=\"{verdict}\",outcome=\"{outcome}\"");
        assert_eq!(
            service.metric("outcomes_total", &labels).await,
            count,
            "{labels}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_twenty_are_kept() {
    let (_aws, service) = service().await;
    for _ in 0..25 {
        report(&service, json!({"error": met(384)})).await;
    }
    assert_eq!(contradictions(&service).await.len(), 20);
}
