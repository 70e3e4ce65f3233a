//! `GET /plan`: where a number of GPUs can be launched.

mod body;
mod table;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::http::auth::Caller;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::deadline::Deadline;
use crate::http::extract::format::wants_table;
use crate::http::extract::query::JoinedQuery;
use crate::http::heavy::STREAMED_KIB;
use crate::http::state::Shared;

use super::query::{OfferFilter, PlanQuery, PlanSize};
use body::PlansBody;

/// The places where so many GPUs fit: how many nodes of which type, what they cost and which quota
/// binds.
///
/// One type for each plan, all nodes in one region. Plans that fit come first, the cheapest before
/// all; then those that fall short, by the fewest GPUs first; then those of which it is not known,
/// and at last those that the cloud prevents. Answered from memory, without waiting for a cloud.
#[utoipa::path(get, path = "/plan", operation_id = "plan_launch", tag = "offers",
    params(PlanSize, OfferFilter),
    responses(
        (status = 200, content((PlansBody<'static> = "application/json"), (String = "text/plain"))),
        (status = 400, body = ProblemBody)))]
pub(in crate::http) async fn plan(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    JoinedQuery(size, filter): JoinedQuery<PlanSize, OfferFilter>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wants_table = wants_table(size.format, &headers);
    let question = PlanQuery { size, filter }.into_question()?;
    let heavy = &shared.0.heavy;
    let admission = heavy.admit(&caller, STREAMED_KIB, deadline).await?;
    let inner = shared.clone();
    let answer = move || {
        let oracle = &inner.0.oracle;
        let page = oracle.plan(&question, |backend| caller.sees(backend.as_str()));
        let vary = [(header::VARY, "accept")];
        if wants_table {
            let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            return (vary, text, table::body(&page)).into_response();
        }
        (
            vary,
            PlansBody::write(&page, |body| Json(body).into_response()),
        )
            .into_response()
    };
    Ok((Extension(admission), heavy.run(answer).await).into_response())
}
