//! Refusals of Resource Manager and its providers, in their words.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::controls::Method;
use super::request::Asked;

/// A refusal on its way out.
pub(super) type Refusal = Box<Response>;

/// A refusal as it is.
pub(super) fn plain(response: impl IntoResponse) -> Refusal {
    Box::new(response.into_response())
}

fn refusal(status: u16, body: Value) -> Refusal {
    let status = StatusCode::from_u16(status).expect("the constants are statuses");
    plain((status, Json(body)))
}

fn error(status: u16, code: &str, message: &str) -> Refusal {
    refusal(status, json!({"error": {"code": code, "message": message}}))
}

fn with_header(mut refusal: Refusal, name: HeaderName, value: &str) -> Refusal {
    let value = value.parse().expect("the texts are header values");
    refusal.headers_mut().insert(name, value);
    refusal
}

fn with_retry_after(refusal: Refusal, wait: Duration) -> Refusal {
    with_header(refusal, header::RETRY_AFTER, &wait.as_secs().to_string())
}

pub(super) fn not_found(path: &str) -> Refusal {
    let message = format!("The resource '{path}' was not found.");
    error(404, "ResourceNotFound", &message)
}

fn unauthorized(code: &str, message: &str) -> Refusal {
    let challenge = "Bearer authorization_uri=\"https://login.windows.net/\", \
                     error=\"invalid_token\", error_description=\"The access token is not \
                     accepted.\"";
    with_header(
        error(401, code, message),
        header::WWW_AUTHENTICATE,
        challenge,
    )
}

pub(super) fn no_token() -> Refusal {
    let message = "Authentication failed. The 'Authorization' header is missing.";
    unauthorized("AuthenticationFailed", message)
}

pub(super) fn token_invalid() -> Refusal {
    unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
}

pub(super) fn token_expired(expired: &str, now: &str) -> Refusal {
    let message = format!(
        "The access token expiry UTC time '{expired}' is earlier than current UTC time '{now}'."
    );
    unauthorized("ExpiredAuthenticationToken", &message)
}

pub(super) fn token_of_other_tenant(issuer: &str) -> Refusal {
    let message = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{issuer}/'. It must \
         match the tenant associated with this subscription."
    );
    unauthorized("InvalidAuthenticationTokenTenant", &message)
}

/// The action that a call needs.
fn action(method: Method) -> &'static str {
    match method {
        Method::ListUsages => "Microsoft.Compute/locations/usages/read",
        Method::ListSkus => "Microsoft.Compute/skus/read",
        Method::ListLocations => "Microsoft.Resources/subscriptions/locations/read",
        Method::ListNetworkUsages => "Microsoft.Network/locations/usages/read",
        Method::ListVmFamilies => "Microsoft.ComputeLimit/locations/vmFamilies/read",
        Method::SignIn | Method::MetadataToken | Method::AppServiceToken => "none",
    }
}

/// The provider that serves a call.
fn provider(method: Method) -> &'static str {
    let action = action(method);
    action
        .split_once('/')
        .map_or(action, |(provider, _)| provider)
}

pub(super) fn authorization_failed(asked: &Asked, client: &str) -> Refusal {
    let message = format!(
        "The client '{client}' with object id '{client}' does not have authorization to perform \
         action '{}' over scope '/subscriptions/{}' or the scope is invalid. If access was \
         recently granted, please refresh your credentials.",
        action(asked.method),
        asked.owner
    );
    error(403, "AuthorizationFailed", &message)
}

pub(super) fn malformed_subscription(id: &str) -> Refusal {
    let message = format!("The provided subscription identifier '{id}' is malformed or invalid.");
    error(400, "InvalidSubscriptionId", &message)
}

pub(super) fn no_such_subscription(id: &str) -> Refusal {
    let message = format!("The subscription '{id}' could not be found.");
    error(404, "SubscriptionNotFound", &message)
}

pub(super) fn not_registered(method: Method) -> Refusal {
    let message = format!(
        "The subscription is not registered to use namespace '{}'. See https://aka.ms/rps-not-found \
         for how to register subscriptions.",
        provider(method)
    );
    error(409, "MissingSubscriptionRegistration", &message)
}

pub(super) fn no_usages(asked: &Asked) -> Refusal {
    let message = format!(
        "Subscription {} has no usages of {} in location {}.",
        asked.owner,
        provider(asked.method),
        asked.location
    );
    error(409, "SubscriptionHasNoUsages", &message)
}

pub(super) fn no_registered_provider(asked: &Asked) -> Refusal {
    let message = format!(
        "No registered resource provider found for location '{}' and API version '{}' for type \
         'locations/usages'. The supported api-versions are '2024-07-01'. The supported locations \
         are 'eastus, eastus2, westus, westeurope'.",
        asked.location,
        asked.parameter("api-version")
    );
    error(400, "NoRegisteredProviderFound", &message)
}

pub(super) fn missing_version() -> Refusal {
    let message = "The api-version query parameter (?api-version=) is required for all requests.";
    error(400, "MissingApiVersionParameter", message)
}

pub(super) fn invalid_version(version: &str) -> Refusal {
    let message = format!("The api-version '{version}' is invalid.");
    error(400, "InvalidApiVersionParameter", &message)
}

pub(super) fn invalid_filter(filter: &str) -> Refusal {
    let message = format!("The filter '{filter}' is not supported: use location eq '…'.");
    error(400, "InvalidParameter", &message)
}

pub(super) fn throttled(asked: &Asked, client: &str, wait: Duration) -> Refusal {
    let seconds = wait.as_secs();
    let message = format!(
        "Number of 'read' requests for subscription '{}' actor '{client}' exceeded. Please try \
         again after '{seconds}' seconds after additional tokens are available. Refer to \
         https://aka.ms/arm-throttling for additional information.",
        asked.owner
    );
    let refusal = error(429, "SubscriptionRequestsThrottled", &message);
    with_retry_after(refusal, wait)
}

/// Without the envelope that all other refusals have.
pub(super) fn compute_throttled(now: &str, wait: Duration) -> Refusal {
    let measured = json!({
        "operationGroup": "HighCostGet", "startTime": now, "endTime": now,
        "allowedRequestCount": 300, "measuredRequestCount": 1238,
    });
    let body = json!({
        "code": "OperationNotAllowed",
        "message": "The server rejected the request because too many requests have been received \
                    for this subscription.",
        "details": [{"code": "TooManyRequests", "target": "HighCostGet",
                     "message": measured.to_string()}],
    });
    with_retry_after(refusal(429, body), wait)
}

pub(super) fn internal_error() -> Refusal {
    let message = "Encountered internal server error. Diagnostic information: timestamp …";
    error(500, "InternalServerError", message)
}

pub(super) fn unavailable() -> Refusal {
    let message = "The request timed out. Diagnostic information: timestamp …";
    error(503, "ServerTimeout", message)
}

pub(super) fn gateway_timeout() -> Refusal {
    let message = "The gateway did not receive a response from 'Microsoft.Compute' within the \
                   specified time period.";
    error(504, "GatewayTimeout", message)
}

pub(super) fn bad_gateway() -> Refusal {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h2>Our services aren't \
                available right now</h2></body></html>";
    let html = [(header::CONTENT_TYPE, "text/html")];
    plain((StatusCode::BAD_GATEWAY, html, page))
}

pub(super) fn foreign_page() -> Refusal {
    let html = [(header::CONTENT_TYPE, "text/html")];
    plain((html, "<html>Log in to the network</html>"))
}

pub(super) fn cut_document() -> Refusal {
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    plain((json, "{\"value\": [{\"unit\": \"Co"))
}

/// A refusal of the metadata of a virtual machine.
pub(super) fn metadata(status: u16, code: &str, description: &str) -> Refusal {
    let body = json!({"error": code, "error_description": description});
    refusal(status, body)
}
