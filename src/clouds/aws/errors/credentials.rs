//! Why there are no credentials to call with: what the SDK's ways to them, STS among them, met.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_servicequotas::config::http::HttpResponse;
use aws_sdk_servicequotas::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;

use super::call::{chain, not_reached, of_call, root_cause};
use super::codes::{ACCESS_DENIED, Action};
use crate::model::{Failure, FailureKind};

/// The failure, if it is for want of credentials that the call was not made.
pub(super) fn no_credentials(error: &(dyn Error + 'static)) -> Option<Failure> {
    let error = chain(error).find_map(|error| error.downcast_ref());
    error.map(not_given)
}

fn not_given(error: &CredentialsError) -> Failure {
    let by_role = no_role::<AssumeRoleError>(error, "AssumeRole");
    let by_web = || no_role::<AssumeRoleWithWebIdentityError>(error, "AssumeRoleWithWebIdentity");
    if let Some(failure) = by_role.or_else(by_web) {
        return failure;
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
        .with_hint(not_reached(unreached)),
        (other, None) => Failure::new(
            FailureKind::Denied,
            format!("no credentials: {}", root_cause(other)),
        )
        .with_hint(CHECK_CREDENTIALS),
    }
}

/// Returns why STS gave no role, if it was asked by the call `name`, whose errors are `E`.
fn no_role<E>(error: &CredentialsError, name: &'static str) -> Option<Failure>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let error = chain(error).find_map(<dyn Error>::downcast_ref::<SdkError<E, HttpResponse>>)?;
    let action = Action {
        service: "sts",
        name,
    };
    let mut failure = of_call(error, &action);
    failure.detail = format!("no credentials: {}", failure.detail);
    if failure.kind.is_transient() {
        return Some(failure);
    }
    failure.kind = FailureKind::Denied;
    let denied = error
        .code()
        .is_some_and(|code| ACCESS_DENIED.contains(&code));
    let hint = failure.hint.as_deref().unwrap_or(CHECK_CREDENTIALS);
    failure.hint = Some(match denied {
        true => format!(
            "{hint}, and see whom the role's trust policy names, and with which external id"
        ),
        false => hint.to_owned(),
    });
    Some(failure)
}

const CHECK_CREDENTIALS: &str = "check the backend's `credentials`";

#[cfg(test)]
mod tests {
    use aws_sdk_servicequotas::error::ErrorMetadata;
    use aws_sdk_sts::types::error::IdpCommunicationErrorException;

    use super::*;

    /// A failure as the SDK's provider of a role wraps STS's answer.
    fn said(status: u16, code: &str) -> Failure {
        let metadata = ErrorMetadata::builder().code(code).message("words");
        let answer = HttpResponse::new(status.try_into().unwrap(), "".into());
        let refused = SdkError::service_error(AssumeRoleError::generic(metadata.build()), answer);
        no_credentials(&CredentialsError::provider_error(refused)).unwrap()
    }

    #[test]
    fn what_sts_says_of_a_role_is_told_as_any_other_refusal() {
        for (status, code, kind) in [
            (400, "Throttling", FailureKind::Throttled),
            (503, "ServiceUnavailable", FailureKind::Unavailable),
            (500, "", FailureKind::Unavailable),
            (403, "AccessDenied", FailureKind::Denied),
            (403, "InvalidClientTokenId", FailureKind::Denied),
            (400, "ExpiredToken", FailureKind::Denied),
            (400, "ValidationError", FailureKind::Denied),
        ] {
            let failure = said(status, code);
            assert_eq!(failure.kind, kind, "{code}");
            // An answer without a code came from something in between.
            let has_hint = kind == FailureKind::Denied || code.is_empty();
            assert_eq!(failure.hint.is_some(), has_hint, "{failure}");
            assert!(failure.detail.starts_with("no credentials: "), "{failure}");
        }
        assert_eq!(
            said(400, "ValidationError").to_string(),
            "denied: no credentials: AssumeRole was refused with HTTP 400 ValidationError: words \
             (check the backend's `credentials`)"
        );
    }

    #[test]
    fn trouble_of_a_web_identity_is_not_taken_for_a_wrong_one() {
        let message = IdpCommunicationErrorException::builder()
            .message("words")
            .meta(
                ErrorMetadata::builder()
                    .code("IDPCommunicationError")
                    .build(),
            );
        let error = AssumeRoleWithWebIdentityError::IdpCommunicationErrorException(message.build());
        let answer = HttpResponse::new(400.try_into().unwrap(), "".into());
        let error = CredentialsError::provider_error(SdkError::service_error(error, answer));
        assert_eq!(
            no_credentials(&error).unwrap().kind,
            FailureKind::Unavailable
        );

        let answer = HttpResponse::new(503.try_into().unwrap(), "".into());
        let error = AssumeRoleWithWebIdentityError::unhandled("no XML");
        let error = CredentialsError::provider_error(SdkError::service_error(error, answer));
        assert_eq!(
            no_credentials(&error).unwrap().kind,
            FailureKind::Unavailable
        );
    }
}
