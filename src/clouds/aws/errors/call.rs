//! Failures of one call, as the SDK reports them.

use std::error::Error;
use std::time::Duration;

use aws_sdk_servicequotas::config::http::HttpResponse;
use aws_sdk_servicequotas::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_servicequotas::primitives::{DateTime, DateTimeFormat as Format};

use super::codes::{Action, NOT_REACHED, not_an_answer, refusal};
use crate::clouds::kit::tls;
use crate::model::{Failure, FailureKind};

/// Converts an SDK error of a call that had credentials into a [`Failure`].
pub(super) fn of_call<E>(error: &SdkError<E, HttpResponse>, action: &Action<'_>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let name = action.name;
    match error {
        SdkError::TimeoutError(_) => Failure::new(
            FailureKind::Timeout,
            format!("{name} was not answered in time"),
        ),
        SdkError::ServiceError(refused) => {
            let answer = refused.raw();
            let refused = refused.err();
            let mut failure = refusal(
                refused.code().unwrap_or_default(),
                refused.message().unwrap_or_default(),
                answer.status().as_u16(),
                action,
            );
            failure.retry_after = retry_after(answer);
            failure
        }
        SdkError::ResponseError(broken) => not_an_answer(name, broken.raw().status().as_u16()),
        SdkError::DispatchFailure(failed) => {
            let detail = failed.as_connector_error().map_or_else(
                || "the call was not made".to_owned(),
                |error| root_cause(error),
            );
            let kind = if failed.is_timeout() {
                FailureKind::Timeout
            } else {
                FailureKind::Unavailable
            };
            let hint = failed
                .as_connector_error()
                .map_or(NOT_REACHED, |error| not_reached(error));
            Failure::new(kind, format!("{name} failed: {detail}")).with_hint(hint)
        }
        other => Failure::new(
            FailureKind::Malformed,
            format!("{name} failed: {}", root_cause(other)),
        ),
    }
}

/// Returns the hint for a server that was not reached.
pub(super) fn not_reached(error: &ConnectorError) -> &'static str {
    match tls::is_certificate_problem(error) {
        true => tls::CHECK_CERTIFICATES,
        false => NOT_REACHED,
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

/// The innermost cause, which is the one that says something: the outer ones only say that
/// something inside them failed.
pub(in crate::clouds::aws) fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

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
