//! Errors in AWS's words; which one says "unknown" is explained in the [folder's](super) text.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::error::{Kind, Problem};
use crate::model::{Failure, FailureKind};
use crate::oracle::QuotaError;

/// The header in which AWS repeats an error's code.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct AwsError {
    pub(super) code: &'static str,
    status: StatusCode,
    pub(super) message: String,
}

impl AwsError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            // Service Quotas answers 400 to whatever is not its own fault, throttling included
            // (Service Quotas API Reference, "Errors" of each operation).
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    /// There is no answer, and clients are to carry on as if they had not asked.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", why)
    }

    pub(super) fn switched_off() -> Self {
        Self::unknown(
            "the AWS protocol is switched off here: add an [aws_protocol] table to the \
             configuration of quota-oracle",
        )
    }

    pub(super) fn missing_authentication(why: &str) -> Self {
        let message = format!("Missing Authentication Token: {why}");
        Self::new("MissingAuthenticationTokenException", message)
    }

    pub(super) fn incomplete_signature(why: impl Into<String>) -> Self {
        Self::new("IncompleteSignatureException", why)
    }

    pub(super) fn invalid_signature(why: impl Into<String>) -> Self {
        Self::new("InvalidSignatureException", why)
    }

    pub(super) fn signature_does_not_match() -> Self {
        Self::invalid_signature(
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method, and that no proxy changes the \
             path or the Host header.",
        )
    }

    pub(super) fn unknown_key() -> Self {
        Self::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid: its access key id is not \
             among aws_protocol.clients.",
        )
    }

    pub(super) fn illegal_argument(why: impl Into<String>) -> Self {
        Self::new("IllegalArgumentException", why)
    }

    pub(super) fn bad_page_token() -> Self {
        Self::new(
            "InvalidPaginationTokenException",
            "The pagination token is invalid.",
        )
    }

    pub(super) fn no_such_resource(why: impl Into<String>) -> Self {
        Self::new("NoSuchResourceException", why)
    }

    pub(super) fn unreadable_body() -> Self {
        Self::new(
            "SerializationException",
            "The body is not a JSON object with members of the right types.",
        )
    }

    pub(super) fn compressed(coding: &str) -> Self {
        Self {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ..Self::new(
                "SerializationException",
                format!("The body is in the coding {coding}; send it without one."),
            )
        }
    }

    /// A request of an AWS client that has lost its way.
    pub(in crate::http) fn wrong_path(path: &str) -> Self {
        Self::new(
            "UnknownOperationException",
            format!(
                "The AWS protocol is not spoken at {path} but at /aws/<backend>: let \
                 AWS_ENDPOINT_URL_SERVICE_QUOTAS or --endpoint-url end with it."
            ),
        )
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new(
            "UnknownOperationException",
            "Served here are GetServiceQuota, ListServiceQuotas, GetAWSDefaultServiceQuota and \
             ListAWSDefaultServiceQuotas.",
        )
    }

    pub(super) fn body_too_large() -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..Self::new("RequestEntityTooLargeException", "The body is too large.")
        }
    }

    fn internal(detail: String) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::new("ServiceException", detail)
        }
    }

    /// Whether the service model declares it, which decides how AWS spells its message.
    fn is_modelled(&self) -> bool {
        matches!(
            self.code,
            "AccessDeniedException"
                | "IllegalArgumentException"
                | "InvalidPaginationTokenException"
                | "NoSuchResourceException"
                | "ServiceException"
        )
    }
}

impl IntoResponse for AwsError {
    fn into_response(self) -> Response {
        let member = if self.is_modelled() {
            "Message"
        } else {
            "message"
        };
        let body = json!({"__type": self.code, member: self.message});
        let mut response = super::response::json(&body);
        *response.status_mut() = self.status;
        let code = HeaderValue::from_static(self.code);
        response.headers_mut().insert(ERROR_TYPE, code);
        response
    }
}

impl From<QuotaError> for AwsError {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::Unread(failure) => failure.into(),
            error => Self::unknown(Problem::from(error).detail),
        }
    }
}

impl From<Failure> for AwsError {
    fn from(failure: Failure) -> Self {
        let message = failure.to_string();
        match failure.kind {
            FailureKind::NotEnabled => Self::new("UnrecognizedClientException", message),
            _ => Self::unknown(message),
        }
    }
}

/// Converts the problems of the layers around the handlers.
impl From<Problem> for AwsError {
    fn from(problem: Problem) -> Self {
        match problem.kind {
            Kind::Internal => Self::internal(problem.detail),
            Kind::BodyTooLarge => Self::body_too_large(),
            Kind::MethodNotAllowed => Self::unknown_operation(),
            Kind::BadRequest => Self::illegal_argument(problem.detail),
            _ => Self::unknown(problem.detail),
        }
    }
}
