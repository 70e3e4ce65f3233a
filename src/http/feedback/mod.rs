//! `POST /feedback`: what a launch met, and `GET /feedback/unrecognised`.

mod answer;
mod report;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::feedback::Meaning;
use crate::model::LaunchOutcome;

use super::auth::Caller;
use super::auth::visibility::check_visible;
use super::error::{Problem, ProblemBody};
use super::extract::json;
use super::extract::query::{NoQuery, StrictQuery};
use super::settings::Scope;
use super::state::Shared;

use answer::{MeaningBody, UnrecognisedBody};
use report::{Cloud, FeedbackBody};

/// Returns the meaning of an error as `POST /feedback` answers it, indented.
pub fn meaning_as_json(meaning: &Meaning) -> String {
    let body = MeaningBody::of(Some(meaning), None);
    serde_json::to_string_pretty(&body).expect("wire structs have text keys only")
}

/// Takes up how a launch ended, or tells with `dry_run` what its error means.
///
/// A want of capacity makes the matching offers `not_available` for a while; a quota that was met is
/// read at once, and a limit that the error states counts at once. A success ends both. To learn
/// needs the scope `verify`; a dry run, which learns nothing, needs `read`.
#[utoipa::path(post, path = "/feedback", operation_id = "report_launch", tag = "feedback",
    request_body = FeedbackBody<'static>,
    responses(
        (status = 202, body = MeaningBody<'static>, description = "What was learnt"),
        (status = 200, body = MeaningBody<'static>, description = "What the error of a dry run means"),
        (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody, description = "No such backend; `known` names those there are"),
        (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody),
    ))]
pub(super) async fn report(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let json::Object(body): json::Object<FeedbackBody<'_>> = json::read(&headers, &body)?;
    let oracle = &shared.0.oracle;
    let report = body.report(caller.name())?;
    if body.is_dry_run() {
        let meaning = match body.cloud()? {
            Cloud::Named(cloud) => oracle.explain(cloud, &report.error),
            Cloud::OfBackend(backend) => {
                check_visible(&shared, &caller, backend)?;
                oracle.explain_for(backend, &report)?
            }
        };
        let is_failure = report.outcome == LaunchOutcome::Failed;
        let answer = MeaningBody::of(is_failure.then_some(&meaning), None);
        return Ok(Json(answer).into_response());
    }
    caller.require(Scope::Verify)?;
    let Cloud::OfBackend(backend) = body.cloud()? else {
        let detail = "`cloud` stands in place of `backend` in a dry run only";
        return Err(Problem::bad("cloud", detail));
    };
    check_visible(&shared, &caller, backend)?;
    let learnt = oracle.learn(&report).await?;
    let answer = MeaningBody::of(learnt.meaning.as_ref(), learnt.until);
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// The newest errors that no table has a line for.
#[utoipa::path(get, path = "/feedback/unrecognised", operation_id = "list_unrecognised_errors", tag = "feedback",
    responses((status = 200, body = UnrecognisedBody)))]
pub(super) async fn unrecognised(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    _: StrictQuery<NoQuery>,
) -> Response {
    let mut errors = shared.0.oracle.unrecognised();
    errors.retain(|error| caller.sees(&error.backend));
    Json(UnrecognisedBody::of(&errors)).into_response()
}

/// Forgets all that the launches of a backend have taught.
#[utoipa::path(delete, path = "/feedback/{backend}", operation_id = "forget_feedback", tag = "feedback",
    params(("backend" = String, Path, description = "The backend's name", example = "aws")),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub(super) async fn forget(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(backend): Path<String>,
    _: StrictQuery<NoQuery>,
) -> Result<StatusCode, Problem> {
    check_visible(&shared, &caller, &backend)?;
    tracing::info!(by = caller.name(), backend, "feedback is forgotten");
    shared.0.oracle.forget_feedback(&backend)?;
    Ok(StatusCode::NO_CONTENT)
}
