//! What AWS's errors mean: the one place that knows their codes.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_servicequotas::config::http::HttpResponse;
use aws_sdk_servicequotas::error::{ConnectorError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_servicequotas::primitives::{DateTime, DateTimeFormat as Format};

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
const BAD_CREDENTIALS: [&str; 8] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

/// The codes of a missing permission.
const ACCESS_DENIED: [&str; 3] = [
    "AccessDeniedException",
    "AccessDenied",
    "UnauthorizedOperation",
];

/// The codes of trouble on AWS's side (IAM User Guide, "Common errors", and STS), for where no
/// HTTP status is at hand.
const UNAVAILABLE: [&str; 4] = [
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
    "IDPCommunicationError",
];

/// The codes of a request that was signed at another time than AWS's clock shows.
const WRONG_TIME: [&str; 2] = ["RequestExpired", "RequestTimeTooSkewed"];

/// How the message begins that says so under a code that may also mean a wrong key.
const WRONG_TIME_IN_WORDS: [&str; 2] = ["Signature expired", "Signature not yet current"];

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
                Some(status),
                &Action::of(operation),
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
            Failure::new(kind, format!("{} failed: {detail}", operation.name)).advise(NOT_REACHED)
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

/// What a person can look at when nobody answers.
const NOT_REACHED: &str =
    "see whether this machine reaches AWS: `endpoint_url`, DNS, proxy, firewall";

/// What was called, as IAM policies write it: `servicequotas:GetServiceQuota`.
struct Action<'a> {
    service: &'static str,
    name: &'a str,
}

impl<'a> Action<'a> {
    fn of(operation: &'a Operation) -> Self {
        Self {
            service: "servicequotas",
            name: operation.name,
        }
    }
}

fn refusal(code: &str, message: &str, status: Option<u16>, action: &Action<'_>) -> Failure {
    let Action { service, name } = action;
    let say = |kind| Failure::new(kind, if message.is_empty() { code } else { message });
    match code {
        code if THROTTLING.contains(&code) => say(FailureKind::Throttled),
        code if NOT_ENABLED_OR_UNKNOWN.contains(&code) => say(FailureKind::NotEnabled),
        code if WRONG_TIME.contains(&code)
            || WRONG_TIME_IN_WORDS
                .iter()
                .any(|words| message.starts_with(words)) =>
        {
            say(FailureKind::Denied).advise("set the clock of this machine right")
        }
        // The message of a wrong signature repeats the signed request, a session token included.
        code if BAD_CREDENTIALS.contains(&code) => Failure::new(
            FailureKind::Denied,
            format!("AWS does not accept the credentials ({code})"),
        )
        .advise("renew or correct the backend's credentials"),
        code if ACCESS_DENIED.contains(&code) => say(FailureKind::Denied).advise(format!(
            "grant {service}:{name} to the backend's credentials"
        )),
        "OptInRequired" | "SubscriptionRequiredException" => {
            say(FailureKind::Denied).advise("finish signing the account up for AWS")
        }
        "NoSuchResourceException" => say(FailureKind::NotFound),
        code => match status {
            // What the SDK makes of an answer that it cannot read.
            Some(status) if status < 300 && code.is_empty() => not_an_answer(name, status),
            Some(status) => Failure::new(
                by_status(status).unwrap_or(FailureKind::Malformed),
                format!("{name} was refused with HTTP {status} {code}: {message}"),
            ),
            None => Failure::new(
                match UNAVAILABLE.contains(&code) {
                    true => FailureKind::Unavailable,
                    false => FailureKind::Malformed,
                },
                format!("{name} was refused with {code}: {message}"),
            ),
        },
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
/// specification reads it, or HTTP's own `Retry-After` in seconds or as a date (RFC 9110, section
/// 10.2.3), which is compared with the date of the same answer, so that no other clock matters.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let header = |name| response.headers().get(name).map(str::trim);
    let number = |name| header(name)?.parse::<u64>().ok();
    let date = |name| DateTime::from_str(header(name)?, Format::HttpDate).ok();
    let until = || {
        let wait = date("retry-after")?.secs() - date("date")?.secs();
        u64::try_from(wait).ok()
    };
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| {
            number("retry-after")
                .or_else(until)
                .map(Duration::from_secs)
        })
}

fn no_credentials(error: &CredentialsError) -> Failure {
    if let Some(refused) = chain(error).find_map(|error| error.downcast_ref()) {
        return role_refused(refused);
    }
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
        )
        .advise(NOT_REACHED),
        (other, None) => Failure::new(
            FailureKind::Denied,
            format!("no credentials: {}", root_cause(other)),
        )
        .advise(CHECK_CREDENTIALS),
    }
}

/// What STS said when it was asked for a role, by whichever of the ways to credentials.
fn role_refused(refused: &ErrorMetadata) -> Failure {
    let code = refused.code().unwrap_or_default();
    let message = refused.message().unwrap_or_default();
    let action = Action {
        service: "sts",
        name: "AssumeRole",
    };
    let failure = refusal(code, message, None, &action);
    let detail = format!("no credentials: {}", failure.detail);
    if failure.kind.is_transient() {
        return Failure::new(failure.kind, detail);
    }
    let advice = failure.advice.unwrap_or(CHECK_CREDENTIALS.to_owned());
    let advice = match ACCESS_DENIED.contains(&code) {
        true => format!(
            "{advice}, and see whom the role's trust policy names, and with which external id"
        ),
        false => advice,
    };
    Failure::new(FailureKind::Denied, detail).advise(advice)
}

const CHECK_CREDENTIALS: &str = "check the backend's `credentials`";

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

#[cfg(test)]
mod tests {
    use super::super::operations::GET_SERVICE_QUOTA;
    use super::*;

    fn refused(code: &str, message: &str, status: u16) -> Failure {
        refusal(code, message, Some(status), &Action::of(&GET_SERVICE_QUOTA))
    }

    #[test]
    fn each_code_is_of_the_kind_that_decides_what_is_done() {
        let cases = [
            ("TooManyRequestsException", 400, FailureKind::Throttled),
            ("EC2ThrottledException", 503, FailureKind::Throttled),
            ("UnrecognizedClientException", 400, FailureKind::NotEnabled),
            ("AuthFailure", 401, FailureKind::NotEnabled),
            ("ExpiredTokenException", 400, FailureKind::Denied),
            ("AccessDeniedException", 400, FailureKind::Denied),
            ("OptInRequired", 403, FailureKind::Denied),
            ("NoSuchResourceException", 400, FailureKind::NotFound),
            ("ServiceException", 500, FailureKind::Unavailable),
            ("", 429, FailureKind::Throttled),
            ("", 408, FailureKind::Timeout),
            ("", 200, FailureKind::Malformed),
            ("IllegalArgumentException", 400, FailureKind::Malformed),
        ];
        for (code, status, kind) in cases {
            assert_eq!(refused(code, "words", status).kind, kind, "{code} {status}");
        }
    }

    #[test]
    fn what_sts_says_of_a_role_is_told_by_its_code() {
        let said = |code: &str| {
            let metadata = ErrorMetadata::builder().code(code).message("words");
            role_refused(&metadata.build())
        };
        for (code, kind) in [
            ("Throttling", FailureKind::Throttled),
            ("ServiceUnavailable", FailureKind::Unavailable),
            ("InternalFailure", FailureKind::Unavailable),
            ("AccessDenied", FailureKind::Denied),
            ("InvalidClientTokenId", FailureKind::Denied),
            ("ExpiredToken", FailureKind::Denied),
            ("ValidationError", FailureKind::Denied),
        ] {
            let failure = said(code);
            assert_eq!(failure.kind, kind, "{code}");
            assert_eq!(failure.advice.is_some(), kind == FailureKind::Denied);
            assert!(failure.detail.starts_with("no credentials: "), "{failure}");
        }
        assert_eq!(
            said("ValidationError").to_string(),
            "denied: no credentials: AssumeRole was refused with ValidationError: words (check \
             the backend's `credentials`)"
        );
    }

    #[test]
    fn a_missing_permission_is_named() {
        let failure = refused("AccessDeniedException", "User: x is not authorized", 400);
        let advice = "grant servicequotas:GetServiceQuota to the backend's credentials";
        assert_eq!(failure.advice.as_deref(), Some(advice));
    }

    #[test]
    fn a_wrong_clock_is_told_from_a_wrong_key() {
        let advice = "set the clock of this machine right";
        let expired = "Signature expired: 20261121T190000Z is now earlier than 20261121T191000Z";
        let early = "Signature not yet current: 20261121T190000Z is still later than now";
        for (code, message) in [
            ("InvalidSignatureException", expired),
            ("SignatureDoesNotMatch", early),
            ("RequestExpired", "Request has expired."),
            ("RequestTimeTooSkewed", "The difference is too large."),
        ] {
            let failure = refused(code, message, 403);
            assert_eq!(failure.kind, FailureKind::Denied, "{code}");
            assert_eq!(failure.advice.as_deref(), Some(advice), "{code}");
            assert_eq!(failure.detail, message);
        }
        let mismatch = "The request signature we calculated does not match. The Canonical String \
                        for this request should have been 'POST / x-amz-security-token:planted'";
        let failure = refused("InvalidSignatureException", mismatch, 403);
        assert_ne!(failure.advice.as_deref(), Some(advice));
        assert!(!failure.to_string().contains("planted"), "{failure}");
    }

    #[test]
    fn a_wait_is_read_in_milliseconds_from_aws_and_in_seconds_or_as_a_date_from_http() {
        let asked = |headers: &[(&'static str, &'static str)]| {
            let status = 400.try_into().unwrap();
            let mut response = HttpResponse::new(status, "".into());
            for (name, value) in headers {
                response.headers_mut().insert(*name, *value);
            }
            retry_after(&response)
        };
        let aws = ("x-amz-retry-after", "1500");
        assert_eq!(asked(&[aws]), Some(Duration::from_millis(1500)));
        let http = ("retry-after", " 30 ");
        assert_eq!(asked(&[http]), Some(Duration::from_secs(30)));
        assert_eq!(asked(&[http, aws]), Some(Duration::from_millis(1500)));
        let at = ("retry-after", "Fri, 27 Nov 2026 07:28:00 GMT");
        let now = ("date", "Fri, 27 Nov 2026 07:27:15 GMT");
        assert_eq!(asked(&[at, now]), Some(Duration::from_secs(45)));
        assert_eq!(asked(&[at]), None);
        let later = ("date", "Fri, 27 Nov 2026 07:28:15 GMT");
        assert_eq!(asked(&[at, later]), None);
        assert_eq!(asked(&[]), None);
    }
}
