use std::time::Duration;

use serde_json::json;

use crate::clouds::azure::errors::{failure, metadata_failure, token_failure};
use crate::clouds::azure::operations::{COMPUTE_USAGES, Call, FAMILIES, NETWORK_USAGES, SIZES};
use crate::clouds::kit::rest::tests::canned;
use crate::model::{Failure, FailureKind, Region};

async fn refused(call: &Call, status: u16, body: String) -> Failure {
    let headers: &[_] = match status {
        429 => &[("retry-after", "1200")],
        _ => &[("x-ms-correlation-request-id", "11111111-2222")],
    };
    let answer = canned::answer(status, headers, body).await;
    failure(&answer, call, "my-subscription", &Region::from("eastus"))
}

#[tokio::test]
async fn a_refusal_means_what_its_code_says_in_the_envelope_or_without_it() {
    use FailureKind::{Denied, Malformed, NotEnabled, NotFound, Unavailable};
    for (status, code, kind, hint) in [
        (401, "InvalidAuthenticationToken", Denied, "clock"),
        (401, "ExpiredAuthenticationToken", Denied, "clock"),
        (
            401,
            "InvalidAuthenticationTokenTenant",
            Denied,
            "check `tenant`",
        ),
        (403, "AuthorizationFailed", Denied, "grant the action"),
        (403, "NewInTheYear2030", Denied, "grant the action"),
        (
            404,
            "SubscriptionNotFound",
            NotFound,
            "check `subscription`",
        ),
        (
            400,
            "InvalidSubscriptionId",
            NotFound,
            "check `subscription`",
        ),
        (
            409,
            "MissingSubscriptionRegistration",
            Denied,
            "az provider register --namespace Microsoft.Compute --subscription my-subscription",
        ),
        (409, "SubscriptionHasNoUsages", NotEnabled, "never used"),
        (
            400,
            "NoRegisteredProviderFound",
            NotEnabled,
            "leave eastus out",
        ),
        (
            400,
            "InvalidApiVersionParameter",
            Malformed,
            "check `cloud`",
        ),
        (503, "ServerTimeout", Unavailable, ""),
        (504, "GatewayTimeout", Unavailable, ""),
        (500, "NewInTheYear2030", Unavailable, ""),
        (400, "NewInTheYear2030", Malformed, ""),
    ] {
        let bare = json!({"code": code, "message": "a sentence"});
        for body in [json!({ "error": bare }), bare] {
            let failure = refused(&COMPUTE_USAGES, status, body.to_string()).await;
            assert_eq!(failure.kind, kind, "{status} {code}");
            assert_eq!(failure.detail, format!("{code}: a sentence"));
            let told = failure.hint.unwrap_or_default();
            assert_eq!(told.is_empty(), hint.is_empty(), "{code}: {told}");
            assert!(told.contains(hint), "{code}: {told}");
        }
    }
}

#[tokio::test]
async fn the_status_429_is_throttling_though_its_code_is_that_of_a_launchs_quota() {
    let compute = json!({"code": "OperationNotAllowed", "message": "The server rejected the request",
        "details": [{"code": "TooManyRequests", "target": "HighCostGet", "message": "{}"}]});
    let arm = json!({"error": {"code": "SubscriptionRequestsThrottled", "message": "Number of 'read' …"}});
    for body in [compute.to_string(), arm.to_string(), "<html>".to_owned()] {
        let failure = refused(&SIZES, 429, body).await;
        assert_eq!(failure.kind, FailureKind::Throttled);
        assert_eq!(failure.retry_after, Some(Duration::from_secs(1200)));
    }
    let body = json!({"error": {"code": "OperationNotAllowed", "message": "no"}});
    let failure = refused(&SIZES, 409, body.to_string()).await;
    assert_eq!(failure.kind, FailureKind::Malformed);
}

#[tokio::test]
async fn a_missing_action_is_named_for_each_call() {
    let body = json!({"error": {"code": "AuthorizationFailed", "message": "The client …"}});
    for (call, action) in [
        (&COMPUTE_USAGES, "Microsoft.Compute/locations/usages/read"),
        (&SIZES, "Microsoft.Compute/skus/read"),
        (&NETWORK_USAGES, "Microsoft.Network/locations/usages/read"),
        (
            &FAMILIES,
            "Microsoft.ComputeLimit/locations/vmFamilies/read",
        ),
    ] {
        let hint = refused(call, 403, body.to_string()).await.hint.unwrap();
        assert!(
            hint.contains(&format!("{action} on subscription my-subscription")),
            "{hint}"
        );
    }
}

#[tokio::test]
async fn answers_of_gateways_are_told_by_their_status_and_long_ones_shortened() {
    for (status, kind) in [
        (502, FailureKind::Unavailable),
        (403, FailureKind::Denied),
        (404, FailureKind::NotFound),
    ] {
        let failure = refused(&COMPUTE_USAGES, status, "<html>no".to_owned()).await;
        assert_eq!(failure.kind, kind);
        assert!(failure.detail.contains(&status.to_string()), "{failure}");
    }
    let message = format!("a\n\u{1b}[31m{}", "x".repeat(5000));
    let body = json!({"error": {"code": "ServerTimeout", "message": message}});
    let failure = refused(&COMPUTE_USAGES, 503, body.to_string()).await;
    assert!(failure.detail.len() < 600);
    assert!(
        !failure.detail.contains(['\n', '\u{1b}']),
        "{:?}",
        failure.detail
    );
}

#[tokio::test]
async fn a_login_is_explained_by_microsofts_number_and_without_what_changes_each_time() {
    for (status, error, number, hint) in [
        (
            401,
            "invalid_client",
            7_000_215,
            "the secret's value, not its id",
        ),
        (401, "invalid_client", 7_000_222, "has expired"),
        (401, "invalid_client", 700_027, "upload it"),
        (400, "unauthorized_client", 700_016, "`client_id`"),
        (400, "invalid_request", 90_002, "`tenant`"),
        (400, "invalid_client", 700_213, "federated credential"),
        (400, "invalid_grant", 12_345, "check `tenant`, `client_id`"),
    ] {
        let body = json!({"error": error, "error_codes": [number], "timestamp": "2026-11-28 10:00:00Z",
            "error_description": format!("AADSTS{number}: A sentence. Trace ID: 9876 Correlation ID: 5678")});
        let failure = token_failure(&canned::answer(status, &[], body.to_string()).await);
        assert_eq!(failure.kind, FailureKind::Denied, "{number}");
        assert!(
            failure.detail.contains(error) && failure.detail.contains("A sentence."),
            "{failure}"
        );
        assert!(!failure.detail.contains("9876"), "{failure}");
        let told = failure.hint.unwrap();
        assert!(
            told.starts_with(&format!("AADSTS{number}: ")) && told.contains(hint),
            "{told}"
        );
    }
    for status in [429, 500, 503] {
        let failure = token_failure(&canned::answer(status, &[], "{}".to_owned()).await);
        assert!(failure.kind.is_transient(), "{status}");
    }
}

#[tokio::test]
async fn a_machine_without_an_identity_is_told_from_a_service_that_is_being_updated() {
    for (status, kind) in [
        (400, FailureKind::Denied),
        (403, FailureKind::Denied),
        (404, FailureKind::Unavailable),
        (410, FailureKind::Unavailable),
        (429, FailureKind::Throttled),
        (500, FailureKind::Unavailable),
    ] {
        let body = json!({"error": "invalid_request", "error_description": "Identity not found"});
        let failure = metadata_failure(&canned::answer(status, &[], body.to_string()).await);
        assert_eq!(failure.kind, kind, "{status}");
        let is_advised = failure.hint.is_some_and(|hint| hint.contains("assign it"));
        assert_eq!(is_advised, kind == FailureKind::Denied, "{status}");
    }
}
