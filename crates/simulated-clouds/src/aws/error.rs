//! The errors of AWS, with the codes, words and HTTP statuses that its clients know.

use std::time::Duration;

/// One refusal, before it is written in the protocol of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) message: String,
    /// The wait that the answer asks for.
    pub(super) retry_after: Option<Duration>,
}

impl ApiError {
    fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            status,
            message: message.into(),
            retry_after: None,
        }
    }

    /// HTTP 400, not 429: Service Quotas API reference, TooManyRequestsException.
    pub(super) fn throttled() -> Self {
        Self::new("TooManyRequestsException", 400, "Rate exceeded")
    }

    /// The same with a wait, which AWS was not yet seen to send but its SDKs know how to read.
    pub(super) fn throttled_for(wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::throttled()
        }
    }

    pub(super) fn service_failure() -> Self {
        Self::new(
            "ServiceException",
            500,
            "Something went wrong on our side. Try again later.",
        )
    }

    pub(super) fn unavailable() -> Self {
        Self::new(
            "ServiceUnavailableException",
            503,
            "Service is temporarily unavailable",
        )
    }

    /// The answer of AWS to a wrong key and in a region that is not enabled alike.
    pub(super) fn unrecognized() -> Self {
        Self::new(
            "UnrecognizedClientException",
            400,
            "The security token included in the request is invalid",
        )
    }

    pub(super) fn missing_token() -> Self {
        Self::new(
            "MissingAuthenticationTokenException",
            400,
            "Missing Authentication Token",
        )
    }

    pub(super) fn incomplete_signature(message: impl Into<String>) -> Self {
        Self::new("IncompleteSignatureException", 400, message)
    }

    pub(super) fn expired() -> Self {
        Self::new(
            "ExpiredTokenException",
            400,
            "The security token included in the request is expired",
        )
    }

    pub(super) fn bad_signature() -> Self {
        Self::new(
            "InvalidSignatureException",
            400,
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method. \
             Consult the service documentation for details.",
        )
    }

    /// The answer to a caller whose clock is more than five minutes slow.
    pub(super) fn signature_expired() -> Self {
        Self::new(
            "InvalidSignatureException",
            400,
            "Signature expired: 20261121T190000Z is now earlier than 20261121T191000Z \
             (20261121T191500Z - 5 min.)",
        )
    }

    pub(super) fn wrong_scope(service: &str) -> Self {
        Self::new(
            "InvalidSignatureException",
            400,
            format!("Credential should be scoped to correct service: '{service}'."),
        )
    }

    pub(super) fn denied(caller: &str, service: &str, operation: &str) -> Self {
        let action = format!("{service}:{operation}");
        Self::new(
            "AccessDeniedException",
            400,
            format!(
                "User: {caller} is not authorized to perform: {action} \
                 because no identity-based policy allows the {action} action"
            ),
        )
    }

    pub(super) fn assume_role_denied(caller: &str, role: &str) -> Self {
        Self::new(
            "AccessDenied",
            403,
            format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}"
            ),
        )
    }

    pub(super) fn no_such_quota(service: &str, code: &str) -> Self {
        Self::new(
            "NoSuchResourceException",
            400,
            format!(
                "The request failed because the specified quota {code} \
                 does not exist for service {service}."
            ),
        )
    }

    pub(super) fn no_such_service() -> Self {
        Self::new(
            "NoSuchResourceException",
            400,
            "This service is not available in the current Region. \
             Choose a different Region or a different service.",
        )
    }

    pub(super) fn no_such_report() -> Self {
        Self::new(
            "NoSuchResourceException",
            400,
            "The specified report does not exist.",
        )
    }

    pub(super) fn illegal_argument(message: impl Into<String>) -> Self {
        Self::new("IllegalArgumentException", 400, message)
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", 400, message)
    }

    pub(super) fn bad_page_token() -> Self {
        Self::new(
            "InvalidPaginationTokenException",
            400,
            "The pagination token is invalid.",
        )
    }

    pub(super) fn unreadable_body() -> Self {
        Self::new("SerializationException", 400, "")
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new("UnknownOperationException", 400, "")
    }

    pub(super) fn is_throttling(code: &str) -> bool {
        matches!(code, "TooManyRequestsException" | "Throttling")
    }

    /// Whether the Service Quotas model declares it, which decides how its message is spelt.
    pub(super) fn is_modelled(&self) -> bool {
        matches!(
            self.code,
            "AccessDeniedException"
                | "IllegalArgumentException"
                | "InvalidPaginationTokenException"
                | "NoSuchResourceException"
                | "ServiceException"
                | "TooManyRequestsException"
        )
    }

    /// The same refusal as services of the query protocol put it (STS common errors).
    pub(super) fn in_query_words(self) -> Self {
        let (code, status) = match self.code {
            "AccessDeniedException" => ("AccessDenied", 403),
            "ExpiredTokenException" => ("ExpiredToken", 403),
            "IncompleteSignatureException" => ("IncompleteSignature", 400),
            "InvalidSignatureException" => ("SignatureDoesNotMatch", 403),
            "MissingAuthenticationTokenException" => ("MissingAuthenticationToken", 403),
            "ServiceException" => ("InternalFailure", 500),
            "ServiceUnavailableException" => ("ServiceUnavailable", 503),
            "TooManyRequestsException" => ("Throttling", 400),
            "UnknownOperationException" => ("InvalidAction", 400),
            "UnrecognizedClientException" => ("InvalidClientTokenId", 403),
            code => (code, self.status),
        };
        Self {
            code,
            status,
            ..self
        }
    }
}
