//! The AWS Service Quotas protocol (JSON 1.1) at `/aws/{backend}` and `/aws`, so that unmodified
//! AWS clients share one rate-limited reader.
//!
//! `AWS_ENDPOINT_URL_SERVICE_QUOTAS=http://oracle:8080/aws/aws` leads boto3, the AWS CLI and the
//! AWS SDKs here. They add nothing or a `/` to that path, and send every region to it: the region
//! stands only in the credential scope of the signature ([`authorization`]).
//!
//! The signature is also who the caller is ([`callers`]), so these routes take no bearer token.
//! It covers path and `Host` as the client sent them: a proxy in between has to keep both, which
//! for nginx means `proxy_set_header Host $http_host` and no path in `proxy_pass`.
//!
//! # What is answered when nothing is known
//!
//! Never a 200 without a value: dstack indexes `response["Quota"]["Value"]` and loses every offer
//! of the backend to the `KeyError`. The error has to be one that no client retries for seconds
//! and that dstack takes for "unknown". `TooManyRequestsException` is retried by the standard and
//! adaptive modes of the SDKs, every 5xx by all of them. So what is not read yet, has expired,
//! cannot be read or has no value is **`AccessDeniedException`, HTTP 400**: modelled for all four
//! operations, retried by nobody, and silently "unknown" to dstack. Its message says what is
//! really the matter. Only where AWS itself has a word for it, that word is used:
//! `UnrecognizedClientException` for a region that is not enabled for the account, and
//! `NoSuchResourceException` for a quota without an applied value, and for services and codes
//! that are not among those read (a backend's `quotas` adds more).
//!
//! A listing leaves out what has no value, as AWS does, and on-demand rows without a usage
//! metric, since dstack before 0.20.17 reads the `Class` of every one.
//!
//! Answers come from memory; only a first read is waited for, up to `request_timeout`.

mod authorization;
mod callers;
pub(super) mod endpoint;
pub(super) mod error;
mod operation;
mod paging;
mod quotas;
mod refusal_log;
mod response;
mod signature;
mod value;
mod wire;

use axum::Extension;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::response::Response;

use crate::oracle::RowFilter;

use super::extract::deadline::Deadline;
use super::extract::json::{coding, without_mark};
use super::state::Shared;

use error::AwsError;
use operation::{Operation, Parameters};
use quotas::Rows;
use response::json;

/// The largest request body: the longest parameters of the service model, a page token of 2,048
/// characters included, are a small part of it, and it is read before the caller is known.
const LARGEST_BODY: usize = 64 * 1024;

/// AWS Service Quotas (JSON 1.1) about one backend.
///
/// `X-Amz-Target` names one of `GetServiceQuota`, `ListServiceQuotas`,
/// `GetAWSDefaultServiceQuota` and `ListAWSDefaultServiceQuotas`; the region is that of the SigV4
/// signature, which is made with one of the keys under `aws_protocol.clients`.
#[utoipa::path(post, path = "/aws/{backend}", operation_id = "call_aws_backend", tag = "aws", security(()),
    params(
        ("backend" = String, Path, description = "The name of a backend of kind `aws`", example = "aws"),
        ("X-Amz-Target" = String, Header, description = "The operation", example = "ServiceQuotasV20190624.GetServiceQuota"),
    ),
    request_body(content = Value, content_type = "application/x-amz-json-1.1", description = "The operation's parameters",
        example = json!({"ServiceCode": "ec2", "QuotaCode": "L-417A185B"})),
    responses(
        (status = 200, body = Value, content_type = "application/x-amz-json-1.1", description = "The operation's result"),
        (status = 400, body = Value, content_type = "application/x-amz-json-1.1", description = "An error in AWS's words: `__type` and `Message`"),
    ))]
pub(super) async fn backend(
    State(shared): State<Shared>,
    Extension(deadline): Extension<Deadline>,
    Path(backend): Path<String>,
    request: Request,
) -> Result<Response, AwsError> {
    let answer = answer(&shared, deadline, Some(&backend), request).await;
    log_refusal(&shared, answer)
}

/// The same about the only AWS backend that the caller may ask about, or the one named `aws`.
#[utoipa::path(post, path = "/aws", operation_id = "call_aws", tag = "aws", security(()),
    params(("X-Amz-Target" = String, Header, description = "The operation", example = "ServiceQuotasV20190624.ListServiceQuotas")),
    request_body(content = Value, content_type = "application/x-amz-json-1.1", description = "The operation's parameters",
        example = json!({"ServiceCode": "ec2"})),
    responses(
        (status = 200, body = Value, content_type = "application/x-amz-json-1.1", description = "The operation's result"),
        (status = 400, body = Value, content_type = "application/x-amz-json-1.1", description = "An error in AWS's words: `__type` and `Message`"),
    ))]
pub(super) async fn default_backend(
    State(shared): State<Shared>,
    Extension(deadline): Extension<Deadline>,
    request: Request,
) -> Result<Response, AwsError> {
    let answer = answer(&shared, deadline, None, request).await;
    log_refusal(&shared, answer)
}

async fn answer(
    shared: &Shared,
    Deadline(deadline): Deadline,
    asked: Option<&str>,
    request: Request,
) -> Result<Response, AwsError> {
    let Some(endpoint) = &shared.0.aws_protocol else {
        return Err(AwsError::switched_off());
    };
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|_| AwsError::body_too_large())?;
    let now = endpoint.clock.now().wall;
    let caller = endpoint.callers.admit(&head, &body, now)?;
    let (backend, answers) = caller.backend(asked, &endpoint.backends)?;
    let operation = Operation::of(&head.headers)?;
    if let Some(coding) = coding(&head.headers) {
        return Err(AwsError::compressed(&coding));
    }
    let parameters = Parameters::parse(without_mark(&body))?;
    let view = shared
        .0
        .oracle
        .region(
            backend.as_str(),
            &caller.region,
            None,
            RowFilter::default(),
            deadline,
        )
        .await?;
    let rows = Rows::of(&view, answers)?;
    let result = match operation {
        Operation::GetServiceQuota => rows.get(&parameters),
        Operation::ListServiceQuotas => rows.list(&parameters),
        Operation::GetAwsDefaultServiceQuota => rows.get_default(&parameters),
        Operation::ListAwsDefaultServiceQuotas => rows.list_defaults(&parameters),
    }?;
    Ok(json(&result))
}

/// Clients such as dstack pass over a refusal in silence, so that this is where it can be found.
fn log_refusal(shared: &Shared, result: Result<Response, AwsError>) -> Result<Response, AwsError> {
    if let (Err(refusal), Some(endpoint)) = (&result, &shared.0.aws_protocol) {
        endpoint.refusals.log(refusal);
    }
    result
}
