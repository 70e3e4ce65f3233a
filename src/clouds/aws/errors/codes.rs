//! The codes and statuses of AWS's refusals: the one place that knows them.

use crate::model::{Failure, FailureKind};
use crate::upstream::Operation;

/// The hint for when nobody answers.
pub(super) const NOT_REACHED: &str =
    "see whether this machine reaches AWS: `endpoint_url`, DNS, proxy, firewall";

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
pub(super) const ACCESS_DENIED: [&str; 3] = [
    "AccessDeniedException",
    "AccessDenied",
    "UnauthorizedOperation",
];

/// The codes of a request that was signed at another time than AWS's clock shows.
const WRONG_TIME: [&str; 2] = ["RequestExpired", "RequestTimeTooSkewed"];

/// How the message begins that says so under a code that may also mean a wrong key.
const WRONG_TIME_IN_WORDS: [&str; 2] = ["Signature expired", "Signature not yet current"];

/// Returns the action as IAM policies write it: `servicequotas:GetServiceQuota`.
pub(super) struct Action<'a> {
    pub(super) service: &'static str,
    pub(super) name: &'a str,
}

impl<'a> Action<'a> {
    pub(super) fn of(operation: &'a Operation) -> Self {
        Self {
            service: "servicequotas",
            name: operation.name,
        }
    }
}

pub(super) fn refusal(code: &str, message: &str, status: u16, action: &Action<'_>) -> Failure {
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
            say(FailureKind::Denied).with_hint("set the clock of this machine right")
        }
        // The message of a wrong signature repeats the signed request, a session token included.
        code if BAD_CREDENTIALS.contains(&code) => Failure::new(
            FailureKind::Denied,
            format!("AWS does not accept the credentials ({code})"),
        )
        .with_hint("renew or correct the backend's credentials"),
        code if ACCESS_DENIED.contains(&code) => {
            let called = format!("{service}:{name}");
            say(FailureKind::Denied).with_hint(permission_advice(message, &called))
        }
        "OptInRequired" | "SubscriptionRequiredException" => {
            say(FailureKind::Denied).with_hint("finish signing the account up for AWS")
        }
        "NoSuchResourceException" => say(FailureKind::NotFound),
        // The identity provider of a web identity was not reached (STS API Reference,
        // AssumeRoleWithWebIdentity); it comes with HTTP 400.
        "IDPCommunicationError" => say(FailureKind::Unavailable),
        // What the SDK makes of an answer that it cannot read.
        "" if status < 300 => not_an_answer(name, status),
        // All of AWS's own refusals have a code; a proxy's page has none.
        "" => Failure::new(
            by_status(status)
                .filter(|kind| kind.is_transient())
                .unwrap_or(FailureKind::Unavailable),
            format!("something between here and AWS answered {name} with HTTP {status}"),
        )
        .with_hint(NOT_REACHED),
        code => Failure::new(
            by_status(status).unwrap_or(FailureKind::Malformed),
            format!("{name} was refused with HTTP {status} {code}: {message}"),
        ),
    }
}

/// Returns what to do about a refused permission: AWS's sentence, which people read and nothing is
/// decided by, tells policies that forbid from policies that do not allow (IAM User Guide,
/// "Troubleshoot access denied error messages").
fn permission_advice(message: &str, called: &str) -> String {
    if message.contains("explicit deny") {
        return format!(
            "a policy denies {called}: remove the deny, or leave the region out of `regions`"
        );
    }
    // Each of these has to allow what the credentials are granted.
    let limits = [
        "permissions boundary",
        "service control policy",
        "resource control policy",
        "session policy",
        "VPC endpoint policy",
    ];
    let limit = limits
        .into_iter()
        .find(|limit| message.contains(&format!("no {limit} allows")));
    match limit {
        Some(limit) => format!("let the {limit} allow {called}, too"),
        None => format!("grant {called} to the backend's credentials"),
    }
}

pub(super) fn not_an_answer(name: &str, status: u16) -> Failure {
    let kind = by_status(status).unwrap_or(match status {
        // Cut, or by something in between: the next answer may be whole.
        200..=299 => FailureKind::Unavailable,
        _ => FailureKind::Malformed,
    });
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

#[cfg(test)]
mod tests {
    use super::super::super::operations::GET_SERVICE_QUOTA;
    use super::*;

    fn refused(code: &str, message: &str, status: u16) -> Failure {
        refusal(code, message, status, &Action::of(&GET_SERVICE_QUOTA))
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
            ("", 200, FailureKind::Unavailable),
            ("", 302, FailureKind::Unavailable),
            ("", 403, FailureKind::Unavailable),
            ("", 407, FailureKind::Unavailable),
            ("IDPCommunicationError", 400, FailureKind::Unavailable),
            ("IllegalArgumentException", 400, FailureKind::Malformed),
        ];
        for (code, status, kind) in cases {
            assert_eq!(refused(code, "words", status).kind, kind, "{code} {status}");
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        let failure = refused("AccessDeniedException", "User: x is not authorized", 400);
        let hint = "grant servicequotas:GetServiceQuota to the backend's credentials";
        assert_eq!(failure.hint.as_deref(), Some(hint));
        for (why, advice) in [
            (
                "with an explicit deny in a service control policy",
                "remove the deny",
            ),
            (
                "with an explicit deny in an identity-based policy",
                "remove the deny",
            ),
            ("with an explicit deny", "remove the deny"),
            (
                "because no permissions boundary allows it",
                "let the permissions boundary allow",
            ),
            (
                "because no service control policy allows it",
                "let the service control policy",
            ),
            (
                "because no identity-based policy allows it",
                "grant servicequotas:",
            ),
        ] {
            let message = format!("User: x is not authorized to perform: y {why}");
            let failure = refused("AccessDeniedException", &message, 400);
            assert_eq!(failure.kind, FailureKind::Denied);
            assert!(failure.hint.unwrap().contains(advice), "{why}");
        }
    }

    #[test]
    fn a_wrong_clock_is_told_from_a_wrong_key() {
        let hint = "set the clock of this machine right";
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
            assert_eq!(failure.hint.as_deref(), Some(hint), "{code}");
            assert_eq!(failure.detail, message);
        }
        let mismatch = "The request signature we calculated does not match. The Canonical String \
                        for this request should have been 'POST / x-amz-security-token:planted'";
        let failure = refused("InvalidSignatureException", mismatch, 403);
        assert_ne!(failure.hint.as_deref(), Some(hint));
        assert!(!failure.to_string().contains("planted"), "{failure}");
    }
}
