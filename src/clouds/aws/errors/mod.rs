//! The meaning of AWS's errors.

mod call;
mod codes;
mod credentials;

use std::error::Error;

use aws_sdk_servicequotas::config::http::HttpResponse;
use aws_sdk_servicequotas::error::{ProvideErrorMetadata, SdkError};

pub(super) use self::call::root_cause;

use self::call::of_call;
use self::codes::Action;
use self::credentials::no_credentials;
use crate::model::Failure;
use crate::upstream::Operation;

/// Converts an SDK error into a [`Failure`].
///
/// [`FailureKind::NotEnabled`](crate::model::FailureKind::NotEnabled) stands for the codes that may also mean unknown credentials; the
/// caller decides with what it knows of other regions.
pub(super) fn failure<E>(error: SdkError<E, HttpResponse>, operation: &Operation) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    no_credentials(&error).unwrap_or_else(|| of_call(&error, &Action::of(operation)))
}
