//! Refusals of the authority, with the AADSTS codes by which clients tell them apart.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;

/// A reason not to issue a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInError {
    /// The endpoint's path names another tenant.
    UnknownTenant,
    UnknownApplication,
    WrongSecret,
    ExpiredSecret,
    UnknownCertificate,
    MalformedAssertion,
    ExpiredAssertion,
    WrongAudience,
    UnknownResource,
    UnsupportedGrant,
    MissingCredential,
}

impl SignInError {
    /// The status, OAuth's word, the code and the sentence.
    fn parts(self) -> (u16, &'static str, u32, &'static str) {
        match self {
            Self::UnknownTenant => (
                400,
                "invalid_request",
                90_002,
                "Tenant not found. Check to make sure you have the correct tenant ID and are \
                 signing into the correct cloud. Check with your subscription administrator, this \
                 may happen if there are no active subscriptions for the tenant.",
            ),
            Self::UnknownApplication => (
                400,
                "unauthorized_client",
                700_016,
                "Application was not found in the directory. This can happen if the application \
                 has not been installed by the administrator of the tenant or consented to by any \
                 user in the tenant. You may have sent your authentication request to the wrong \
                 tenant.",
            ),
            Self::WrongSecret => (
                401,
                "invalid_client",
                7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID, for a secret added to app.",
            ),
            Self::ExpiredSecret => (
                401,
                "invalid_client",
                7_000_222,
                "The provided client secret keys for app are expired. Visit the Azure portal to \
                 create new keys for your app: https://aka.ms/NewClientSecret, or consider using \
                 certificate credentials for added security: https://aka.ms/certCreds.",
            ),
            Self::UnknownCertificate => (
                401,
                "invalid_client",
                700_027,
                "The certificate with identifier used to sign the client assertion is not \
                 registered on application. [Reason - The key was not found.]",
            ),
            Self::MalformedAssertion => (
                401,
                "invalid_client",
                50_027,
                "JWT token is invalid or malformed.",
            ),
            Self::ExpiredAssertion => (
                401,
                "invalid_client",
                700_024,
                "Client assertion is not within its valid time range.",
            ),
            Self::WrongAudience => (
                401,
                "invalid_client",
                700_023,
                "Client assertion audience claim does not match Realm issuer.",
            ),
            Self::UnknownResource => (
                400,
                "invalid_resource",
                500_011,
                "The resource principal was not found in the tenant.",
            ),
            Self::UnsupportedGrant => (
                400,
                "unsupported_grant_type",
                70_003,
                "The app requested an unsupported grant type.",
            ),
            Self::MissingCredential => (
                401,
                "invalid_client",
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or \
                 'client_secret'.",
            ),
        }
    }

    pub(super) fn response(self, now: Timestamp) -> Response {
        let (status, error, code, sentence) = self.parts();
        let trace = "0f0e0d0c-0000-4000-8000-000000000000";
        let description = format!(
            "AADSTS{code}: {sentence} Trace ID: {trace} Correlation ID: {trace} Timestamp: {now}"
        );
        let body = json!({
            "error": error, "error_description": description, "error_codes": [code],
            "timestamp": now, "trace_id": trace, "correlation_id": trace,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        let status = StatusCode::from_u16(status).expect("the constants are statuses");
        (status, Json(body)).into_response()
    }
}
