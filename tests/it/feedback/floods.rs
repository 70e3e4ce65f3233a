//! More feedback than anybody reads.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tower::ServiceExt;

use super::service;

#[tokio::test(start_paused = true)]
async fn thousands_of_reports_with_made_up_names_leave_answers_as_they_are() {
    let (_aws, service) = service().await;
    for number in 0..5_000u32 {
        let body = json!({
            "backend": "aws", "region": "us-east-1", "outcome": "failed",
            "instance_type": format!("p{number}.huge"),
            "zone": format!("us-east-1{number}"),
            "error": {"code": "InsufficientInstanceCapacity"},
        });
        let request = Request::post("/feedback")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = service.function().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    let answer = service.get("/quotas/aws/us-east-1").await;
    assert_eq!(answer.status, 200);
    let labels = "backend=\"aws\",class=\"capacity\"";
    assert_eq!(service.metric("feedback_total", labels).await, 5_000.0);
}
