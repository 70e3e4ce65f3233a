//! `/offers`: what can be launched, out of the catalog or out of the caller's own list.

pub(super) mod body;
pub(super) mod custom_offer;
mod custom_offers;
pub(super) mod query;
mod stream;
mod table;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::auth::Caller;
use super::error::{Problem, ProblemBody};
use super::extract::deadline::Deadline;
use super::extract::format::wants_table;
use super::extract::json;
use super::extract::query::{NoQuery, StrictQuery};
use super::settings::Scope;
use super::state::Shared;
use crate::model::BackendName;

use body::{JudgementsBody, OffersBody};
use custom_offers::CustomOffersBody;
use query::OffersQuery;
use stream::OFFER_BYTES;

/// The offers that can be rented, each with whether it can be launched and which quota stands in
/// the way.
///
/// Answered from memory, without waiting for a cloud: what is not known yet is `unknown`. Offers
/// are judged each on its own; families that share a quota do not add up.
#[utoipa::path(get, path = "/offers", operation_id = "list_offers", tag = "offers",
    params(OffersQuery),
    responses(
        (status = 200, content((OffersBody<'static> = "application/json"), (String = "text/plain"))),
        (status = 400, body = ProblemBody)))]
pub(super) async fn find(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    StrictQuery(query): StrictQuery<OffersQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wants_table = wants_table(query.format, &headers);
    let question = query.into_question()?;
    let page = shared
        .0
        .oracle
        .offers(&question, |backend| caller.sees(backend.as_str()));
    let vary = [(header::VARY, "accept")];
    if wants_table {
        let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((vary, text, table::body(page).await).into_response());
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((vary, json, stream::json(page)).into_response())
}

/// Judges offers of the caller's own, in their order.
///
/// Answered from memory, without waiting for a cloud, unless the backend sets `deny_max_age` and
/// the caller may verify. An offer of a backend, region or type that
/// is not known gets the verdict `unknown` with its reason; it never makes the call fail.
#[utoipa::path(post, path = "/offers", operation_id = "judge_offers", tag = "offers",
    request_body(content = CustomOffersBody<'static>),
    responses(
        (status = 200, body = JudgementsBody<'static>),
        (status = 400, body = ProblemBody, description = "`field` is the path of what is wrong"),
        (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody),
    ))]
pub(super) async fn judge(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let list: CustomOffersBody<'_> = json::read(&headers, &body)?;
    let oracle = &shared.0.oracle;
    let sees = |backend: &BackendName| caller.sees(backend.as_str());
    let judged = match caller.require(Scope::Verify) {
        Ok(()) => {
            let offers: Vec<_> = list.offers().collect();
            oracle
                .assess_verified(&offers, list.count, sees, deadline)
                .await
        }
        Err(_) => oracle.assess_custom(list.offers(), list.count, sees),
    };
    let mut bytes = Vec::with_capacity(OFFER_BYTES * (judged.assessments.len() + 1));
    let body = JudgementsBody::of(&judged);
    serde_json::to_writer(&mut bytes, &body).expect("wire structs have text keys only");
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}
