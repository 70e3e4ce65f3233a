//! Refusals, as live reports have them, and what is made of each.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::errors::{Api, failure};
use crate::clouds::kit::rest::Answer;
use crate::clouds::kit::rest::tests::canned;
use crate::model::{Failure, FailureKind};

const DATE: &str = "Sat, 28 Nov 2026 10:00:15 GMT";

async fn answer(status: u16, body: String) -> Answer {
    canned::answer(status, &[("date", DATE)], body).await
}

async fn refused(api: Api, status: u16, error: Value) -> Failure {
    let body = json!({ "error": error }).to_string();
    failure(&answer(status, body).await, api, "my-project")
}

fn info(reason: &str, metadata: Value) -> Value {
    json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
            "domain": "googleapis.com", "metadata": metadata}])
}

fn old(reason: &str) -> Value {
    json!([{"message": "no", "domain": "global", "reason": reason}])
}

#[tokio::test]
async fn a_403_means_what_its_reason_says() {
    use FailureKind::{Denied, Throttled, Unavailable};
    for (reason, kind, hint) in [
        ("RATE_LIMIT_EXCEEDED", Throttled, None),
        ("SERVICE_DISABLED", Denied, Some("gcloud services enable")),
        (
            "IAM_PERMISSION_DENIED",
            Denied,
            Some("roles/cloudquotas.viewer"),
        ),
        ("BILLING_DISABLED", Denied, Some("billing account")),
        ("CONSUMER_INVALID", Denied, Some("check that `project`")),
        ("USER_PROJECT_DENIED", Denied, Some("serviceUsageConsumer")),
        (
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            Denied,
            Some("access scopes"),
        ),
    ] {
        let error = json!({"code": 403, "message": "no", "status": "PERMISSION_DENIED",
                           "details": info(reason, json!({}))});
        let failure = refused(Api::Quotas, 403, error).await;
        assert_eq!(failure.kind, kind, "{reason}");
        let told = failure.hint.as_deref();
        assert_eq!(told.is_some(), hint.is_some(), "{reason}: {told:?}");
        assert!(told.unwrap_or_default().contains(hint.unwrap_or_default()));
    }
    // Compute Engine's older form, where there are no details.
    for (reason, kind) in [
        ("rateLimitExceeded", Throttled),
        ("userRateLimitExceeded", Throttled),
        ("accessNotConfigured", Denied),
        ("forbidden", Denied),
        ("backendError", Unavailable),
    ] {
        let error = json!({"code": 403, "message": "no", "errors": old(reason)});
        assert_eq!(
            refused(Api::Compute, 403, error).await.kind,
            kind,
            "{reason}"
        );
    }
    // A message decides nothing.
    let error =
        json!({"code": 403, "message": "Rate Limit Exceeded", "status": "PERMISSION_DENIED"});
    assert_eq!(refused(Api::Compute, 403, error).await.kind, Denied);
}

#[tokio::test]
async fn whoever_is_throttled_waits_for_the_next_full_minute_by_the_clouds_own_clock() {
    let error = json!({"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"});
    let failure = refused(Api::Monitoring, 429, error).await;
    assert_eq!(failure.kind, FailureKind::Throttled);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(45)));
}

#[tokio::test]
async fn a_permission_and_a_service_are_named_as_the_cloud_names_them() {
    let metadata = json!({"permission": "monitoring.timeSeries.list"});
    let error = json!({"code": 403, "message": "no", "status": "PERMISSION_DENIED",
                       "details": info("IAM_PERMISSION_DENIED", metadata)});
    let hint = refused(Api::Monitoring, 403, error).await.hint.unwrap();
    assert!(
        hint.contains("monitoring.timeSeries.list") && hint.contains("my-project"),
        "{hint}"
    );
    // A name that could be anything stands in no command.
    let metadata = json!({"service": "x; rm -rf /"});
    let error =
        json!({"code": 403, "message": "no", "details": info("SERVICE_DISABLED", metadata)});
    let hint = refused(Api::Quotas, 403, error).await.hint.unwrap();
    assert!(
        hint.contains("enable cloudquotas.googleapis.com --project=my-project"),
        "{hint}"
    );
}

#[tokio::test]
async fn other_answers_are_told_by_their_status_and_long_ones_shortened() {
    use FailureKind::{Denied, Malformed, NotFound, Unavailable};
    for (status, body, kind) in [
        (502, "<!DOCTYPE html><title>Error 502</title>", Unavailable),
        (403, "<html>Forbidden</html>", Denied),
        (
            404,
            r#"{"error":{"code":404,"message":"no","errors":[{"reason":"notFound"}]}}"#,
            NotFound,
        ),
        (401, r#"{"error":{"code":401,"message":"no"}}"#, Denied),
        (
            503,
            r#"{"error":{"code":503,"message":"no","status":"UNAVAILABLE"}}"#,
            Unavailable,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}"#,
            Malformed,
        ),
        (500, r#"{"error":"odd"}"#, Unavailable),
    ] {
        let failure = failure(&answer(status, body.to_owned()).await, Api::Compute, "p");
        assert_eq!(failure.kind, kind, "{status} {body}");
    }
    let error = json!({"code": 500, "message": format!("a\n\u{1b}[31m{}", "x".repeat(5000))});
    let failure = refused(Api::Compute, 500, error).await;
    assert!(failure.detail.len() < 600);
    assert!(
        !failure.detail.contains(['\n', '\u{1b}']),
        "{:?}",
        failure.detail
    );
}
