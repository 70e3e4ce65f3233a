//! `POST /verify`: the last check before a launch.

mod body;

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tokio::time::Instant;

use crate::oracle::VerifyQuestion;

use super::auth::Caller;
use super::error::{Problem, ProblemBody};
use super::extract::deadline::Deadline;
use super::extract::format::{FormatQuery, wants_table};
use super::extract::json;
use super::extract::query::StrictQuery;
use super::leases::log_taken;
use super::leases::request::{checked_ttl, refusal, request_key};
use super::state::Shared;

use body::{VerifiedBody, VerifyRequestBody};

/// The age that is accepted unless the request says otherwise: a launch takes longer.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Verifies one launch: what it draws from is read now where it is older than `max_age`, and a
/// lease is taken in the same step where it fits.
///
/// Answers 200 whatever the verdict, by the request's deadline at the latest.
#[utoipa::path(post, path = "/verify", operation_id = "verify_launch", tag = "leases",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request get the first one's lease; at most 255 bytes"),
        FormatQuery,
    ),
    request_body(content = VerifyRequestBody<'static>),
    responses(
        (status = 200, content((VerifiedBody<'static> = "application/json"), (String = "text/plain"))),
        (status = 400, body = ProblemBody, description = "`field` is the path of what is wrong"),
        (status = 422, body = ProblemBody, description = "The `Idempotency-Key` was used for another request"),
        (status = 503, body = ProblemBody, description = "As many leases live as may"),
    ))]
pub(super) async fn verify(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    StrictQuery(query): StrictQuery<FormatQuery>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let asked: VerifyRequestBody<'_> = json::read(&headers, &body)?;
    let settings = &shared.0.leases;
    let lease = asked
        .lease
        .map(|ttl| checked_ttl("lease", ttl, settings))
        .transpose()?;
    let request = request_key(&caller, &headers, uri.path(), &body)?;
    let deadline = asked
        .timeout
        .and_then(|timeout| started.checked_add(timeout))
        .map_or(deadline, |own| own.min(deadline));
    let json::Object(offer) = &asked.offer;
    let question = VerifyQuestion {
        offer: offer.offer(),
        count: asked.count,
        max_age: asked.max_age.unwrap_or(MAX_AGE),
        lease,
        request: request.filter(|_| lease.is_some()),
    };
    let sees = |backend: &str| caller.sees(backend);
    let verified = shared.0.oracle.verify(question, sees, deadline);
    let verified = verified.await.map_err(refusal)?;
    if let Some(lease) = &verified.lease {
        log_taken(&caller, lease);
    }
    if wants_table(query.format, &headers) {
        let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((text, body::text(&verified)).into_response());
    }
    Ok(Json(VerifiedBody::of(&verified)).into_response())
}
