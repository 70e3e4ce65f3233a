//! The meaning of a failed call to Nebius.
//!
//! Throttling, an exhausted quota and missing hardware may all come as RESOURCE_EXHAUSTED, so
//! the details that the cloud attaches decide, and the code only where there are none.

use std::error::Error;

use nebius_api::common::v1::ServiceError;
use nebius_api::common::v1::service_error::Details;
use nebius_api::google::rpc;
use prost::Message;
use tonic::{Code, Status};

use crate::clouds::kit::tls;
use crate::model::{Failure, FailureKind};

/// The current and the deprecated name of the details, after the type URL's last slash.
const SERVICE_ERRORS: [&str; 2] = [
    "nebius.common.v1.ServiceError",
    "nebius.common.error.v1alpha1.ServiceError",
];

/// The failure that this status stands for.
pub(super) fn failure(status: &Status) -> Failure {
    match service_error(status).and_then(|error| error.details) {
        Some(details) => from_details(status, details),
        None if tls::is_certificate_problem(status) => {
            from_code(status).with_hint(tls::CHECK_CERTIFICATES)
        }
        None => from_code(status),
    }
}

/// The failure of a read that took longer than its deadline.
pub(super) fn timed_out(operation: &str) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("{operation} did not answer in time"),
    )
}

fn service_error(status: &Status) -> Option<ServiceError> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    details.iter().find_map(|detail| {
        let name = detail.type_url.rsplit('/').next()?;
        let known = SERVICE_ERRORS.contains(&name);
        known.then(|| ServiceError::decode(&*detail.value).ok())?
    })
}

fn from_details(status: &Status, details: Details) -> Failure {
    let message = status.message();
    match details {
        Details::TooManyRequests(detail) => Failure::new(
            FailureKind::Throttled,
            join(message, [detail.violation.as_str()]),
        ),
        // Reads draw on no quota: if one is refused so, asking again would not change it.
        Details::QuotaFailure(detail) => {
            let violations = detail.violations.iter().map(|violation| {
                format!(
                    "{}: limit {}, requested {}",
                    violation.quota, violation.limit, violation.requested
                )
            });
            Failure::new(FailureKind::Denied, join(message, violations))
        }
        Details::NotEnoughResources(detail) => {
            let violations = detail.violations.iter().map(|v| v.message.as_str());
            Failure::new(FailureKind::Unavailable, join(message, violations))
        }
        Details::PermissionDenied(detail) => {
            permission_denied(join(message, [detail.resource_id.as_str()]))
        }
        Details::ResourceNotFound(detail) => Failure::new(
            FailureKind::NotFound,
            join(message, [detail.resource_id.as_str()]),
        ),
        Details::InternalError(detail) => {
            let request = format!("request {}", detail.request_id);
            Failure::new(FailureKind::Unavailable, join(message, [request.as_str()]))
        }
    }
}

fn from_code(status: &Status) -> Failure {
    let kind = match status.code() {
        // A read that is exhausted without a reason is one call too many.
        Code::ResourceExhausted => FailureKind::Throttled,
        Code::Unauthenticated => FailureKind::Denied,
        Code::PermissionDenied => return permission_denied(sentence(status)),
        // An id that is not even well-formed comes as an invalid argument.
        Code::NotFound | Code::InvalidArgument | Code::Unimplemented => FailureKind::NotFound,
        // A deadline that passes on our side comes as a cancelled call.
        Code::DeadlineExceeded | Code::Cancelled => FailureKind::Timeout,
        Code::DataLoss | Code::OutOfRange => FailureKind::Malformed,
        // Unknown is how a broken connection or a proxy's 52x arrives.
        _ => FailureKind::Unavailable,
    };
    Failure::new(kind, sentence(status))
}

fn permission_denied(detail: String) -> Failure {
    Failure::new(FailureKind::Denied, detail)
        .with_hint("grant the service account the role `viewer` on the tenant")
}

fn sentence(status: &Status) -> String {
    let mut sentence = format!("{:?}", status.code());
    if !status.message().is_empty() {
        sentence = join(&sentence, [status.message()]);
    }
    // What failed below HTTP/2, such as a refused connection, is only in the sources.
    let mut source = status.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !sentence.contains(&text) {
            sentence = join(&sentence, [text]);
        }
        source = error.source();
    }
    sentence
}

fn join<S: AsRef<str>>(message: &str, more: impl IntoIterator<Item = S>) -> String {
    let mut joined = message.to_owned();
    for part in more {
        if !part.as_ref().is_empty() {
            if !joined.is_empty() {
                joined.push_str(": ");
            }
            joined.push_str(part.as_ref());
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use nebius_api::common::v1::{NotEnoughResources, TooManyRequests, service_error};

    fn rich(type_url: &str, details: Details) -> Status {
        let error = ServiceError {
            service: "compute".to_owned(),
            code: String::new(),
            retry_type: service_error::RetryType::Unspecified.into(),
            details: Some(details),
        };
        let status = rpc::Status {
            code: Code::ResourceExhausted as i32,
            message: String::new(),
            details: vec![prost_types::Any {
                type_url: type_url.to_owned(),
                value: error.encode_to_vec(),
            }],
        };
        let bytes = status.encode_to_vec().into();
        Status::with_details(Code::ResourceExhausted, "exhausted", bytes)
    }

    #[test]
    fn the_deprecated_name_of_the_details_is_understood_too() {
        for name in SERVICE_ERRORS {
            let details = Details::NotEnoughResources(NotEnoughResources::default());
            let status = rich(&format!("type.googleapis.com/{name}"), details);
            assert_eq!(failure(&status).kind, FailureKind::Unavailable);
        }
        let details = Details::TooManyRequests(TooManyRequests::default());
        let status = rich("type.googleapis.com/another.Error", details);
        assert_eq!(failure(&status).kind, FailureKind::Throttled);
    }

    #[test]
    fn garbage_instead_of_details_leaves_the_code_to_decide() {
        let bytes = vec![0xff, 0x01, 0x02].into();
        let status = Status::with_details(Code::NotFound, "gone", bytes);
        let failure = failure(&status);
        assert_eq!(failure.kind, FailureKind::NotFound);
        assert!(failure.detail.contains("gone"));
    }

    #[test]
    fn only_failures_that_may_pass_are_transient() {
        let transient = |code| failure(&Status::new(code, "why")).kind.is_transient();
        for code in [
            Code::ResourceExhausted,
            Code::Unavailable,
            Code::Unknown,
            Code::Internal,
            Code::DeadlineExceeded,
        ] {
            assert!(transient(code), "{code:?}");
        }
        for code in [
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::NotFound,
            Code::InvalidArgument,
            Code::Unimplemented,
        ] {
            assert!(!transient(code), "{code:?}");
        }
    }
}
