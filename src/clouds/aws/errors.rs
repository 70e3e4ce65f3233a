//! What AWS's errors mean: the one place that knows their codes.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_servicequotas::config::http::HttpResponse;
use aws_sdk_servicequotas::error::{ConnectorError, ProvideErrorMetadata, SdkError};

use crate::model::{Failure, FailureKind};
use crate::upstream::Operation;

/// The codes that the AWS SDKs take for throttling (aws-runtime, `THROTTLING_ERRORS`).
const THROTTLING: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// The codes that say both "this region is not enabled" and "these credentials are unknown";
/// which of the two is meant, only another region can tell.
const NOT_ENABLED_OR_UNKNOWN: [&str; 3] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "AuthFailure",
];

/// The codes of credentials that were recognised and are not good enough.
const BAD_CREDENTIALS: [&str; 9] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

/// The failure that an SDK error is.
///
/// [`FailureKind::NotEnabled`] stands for the codes that may also mean unknown credentials; the
/// caller decides with what it knows of other regions.
pub(super) fn failure<E>(error: SdkError<E, HttpResponse>, operation: &Operation) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::TimeoutError(_) => Failure::new(
            FailureKind::Timeout,
            format!("{} was not answered in time", operation.name),
        ),
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            let retry_after = retry_after(refused.raw());
            let refused = refused.err();
            let mut failure = refusal(
                refused.code().unwrap_or_default(),
                refused.message().unwrap_or_default(),
                status,
                operation,
            );
            failure.retry_after = retry_after;
            failure
        }
        SdkError::ResponseError(broken) => {
            not_an_answer(operation.name, broken.raw().status().as_u16())
        }
        SdkError::DispatchFailure(failed) => {
            if let Some(error) = failed
                .as_connector_error()
                .and_then(|error| credentials_error(error))
            {
                return no_credentials(error);
            }
            let detail = failed.as_connector_error().map_or_else(
                || "the call was not made".to_owned(),
                |error| root_cause(error),
            );
            let kind = if failed.is_timeout() {
                FailureKind::Timeout
            } else {
                FailureKind::Unavailable
            };
            Failure::new(kind, format!("{} failed: {detail}", operation.name))
        }
        other => match credentials_error(&other) {
            Some(error) => no_credentials(error),
            None => {
                let detail = root_cause(&other);
                Failure::new(
                    FailureKind::Malformed,
                    format!("{} failed: {detail}", operation.name),
                )
            }
        },
    }
}

fn refusal(code: &str, message: &str, status: u16, operation: &Operation) -> Failure {
    let name = operation.name;
    let say = |kind| Failure::new(kind, if message.is_empty() { code } else { message });
    match code {
        code if THROTTLING.contains(&code) => say(FailureKind::Throttled),
        code if NOT_ENABLED_OR_UNKNOWN.contains(&code) => say(FailureKind::NotEnabled),
        // The message of a wrong signature repeats the signed request, a session token included.
        code if BAD_CREDENTIALS.contains(&code) => Failure::new(
            FailureKind::Denied,
            format!("AWS does not accept the credentials ({code})"),
        )
        .advise("renew or correct the backend's credentials"),
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
            say(FailureKind::Denied).advise(format!(
                "grant servicequotas:{name} to the backend's credentials"
            ))
        }
        "OptInRequired" | "SubscriptionRequiredException" => {
            say(FailureKind::Denied).advise("finish signing the account up for AWS")
        }
        "NoSuchResourceException" => say(FailureKind::NotFound),
        // What the SDK makes of an answer that it cannot read.
        "" if status < 300 => not_an_answer(name, status),
        code => {
            let kind = by_status(status).unwrap_or(FailureKind::Malformed);
            Failure::new(
                kind,
                format!("{name} was refused with HTTP {status} {code}: {message}"),
            )
        }
    }
}

fn not_an_answer(name: &str, status: u16) -> Failure {
    let kind = by_status(status).unwrap_or(FailureKind::Malformed);
    let detail = format!("{name} was answered with HTTP {status} and a body that is not an answer");
    Failure::new(kind, detail)
}

fn by_status(status: u16) -> Option<FailureKind> {
    match status {
        408 => Some(FailureKind::Timeout),
        429 => Some(FailureKind::Throttled),
        401 | 403 => Some(FailureKind::Denied),
        500..=599 => Some(FailureKind::Unavailable),
        _ => None,
    }
}

/// The wait that a cloud asks for: `x-amz-retry-after` in milliseconds, as the SDKs' 2026 retry
/// specification reads it, or HTTP's own `Retry-After` in seconds.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.headers().get(name)?.trim().parse::<u64>().ok();
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}

fn no_credentials(error: &CredentialsError) -> Failure {
    let unreached = chain(error).find_map(|error| error.downcast_ref::<ConnectorError>());
    match (error, unreached) {
        (CredentialsError::ProviderTimedOut(_), _) => Failure::new(
            FailureKind::Timeout,
            "whoever gives the credentials did not answer in time",
        ),
        (_, Some(unreached)) => Failure::new(
            match unreached.is_timeout() {
                true => FailureKind::Timeout,
                false => FailureKind::Unavailable,
            },
            format!(
                "whoever gives the credentials was not reached: {}",
                root_cause(unreached)
            ),
        ),
        (other, None) => Failure::new(
            FailureKind::Denied,
            format!("no credentials: {}", root_cause(other)),
        )
        .advise("check the backend's `credentials`"),
    }
}

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The innermost cause, which is the one that says something: the outer ones only say that
/// something inside them failed.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
