//! `/offers`: what can be launched, out of the catalog or out of the caller's own list.

pub(super) mod body;
pub(super) mod custom_offer;
mod custom_offers;
pub(super) mod plan;
pub(super) mod query;
mod stream;
pub(super) mod summary;
mod table;

use axum::Extension;
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::auth::Caller;
use super::error::{Problem, ProblemBody};
use super::extract::deadline::Deadline;
use super::extract::format::wants_table;
use super::extract::json;
use super::extract::query::{JoinedQuery, NoQuery, StrictQuery};
use super::heavy::STREAMED_KIB;
use super::settings::Scope;
use super::state::Shared;
use crate::model::BackendName;
use crate::oracle::Sort;

use body::{JudgementsBody, OffersBody};
use custom_offers::CustomOffersBody;
use query::{OfferFilter, OffersQuery, PageQuery};
use stream::OFFERS_OF_A_PAGE;

/// The offers that can be rented, each with whether it can be launched and which quota stands in
/// the way.
///
/// Answered from memory, without waiting for a cloud: what is not known yet is `unknown`. Offers
/// are judged each on its own; families that share a quota do not add up.
#[utoipa::path(get, path = "/offers", operation_id = "list_offers", tag = "offers",
    params(OfferFilter, PageQuery),
    responses(
        (status = 200, content((OffersBody<'static> = "application/json"), (String = "text/plain"))),
        (status = 400, body = ProblemBody)))]
pub(super) async fn find(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    JoinedQuery(filter, page): JoinedQuery<OfferFilter, PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wants_table = wants_table(page.format, &headers);
    let question = OffersQuery { filter, page }.into_question()?;
    let is_a_page = question
        .limit
        .is_some_and(|limit| limit <= OFFERS_OF_A_PAGE);
    let is_light = is_a_page && question.sort == Sort::Price;
    let admission = match is_light {
        true => None,
        false => Some(
            shared
                .0
                .heavy
                .admit(&caller, STREAMED_KIB, deadline)
                .await?,
        ),
    };
    let heavy = shared.clone();
    let answer = move || {
        let oracle = &shared.0.oracle;
        let page = oracle.offers(&question, |backend| caller.sees(backend.as_str()));
        let vary = [(header::VARY, "accept")];
        if wants_table {
            let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            return (vary, text, table::body(page)).into_response();
        }
        let json = [(header::CONTENT_TYPE, "application/json")];
        (vary, json, stream::json(page)).into_response()
    };
    Ok(match admission {
        None => answer(),
        Some(admission) => (Extension(admission), heavy.0.heavy.run(answer).await).into_response(),
    })
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
    request: Request,
) -> Result<Response, Problem> {
    let length = request.body().size_hint().upper();
    let admission = match length {
        Some(length) if length <= LIGHT_LIST => None,
        length => {
            let kib = kib_of_a_list(length);
            Some(shared.0.heavy.admit(&caller, kib, deadline).await?)
        }
    };
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|refusal| Problem::from_plain(refusal.status(), refusal.body_text()))?;
    let heavy = shared.clone();
    let verifies = caller.require(Scope::Verify).is_ok() && {
        let sees = |backend: &BackendName| caller.sees(backend.as_str());
        shared.0.oracle.verifies_denials(sees)
    };
    let judged = match verifies {
        true => {
            let list: CustomOffersBody<'_> = json::read(&headers, &body)?;
            let offers: Vec<_> = list.offers().collect();
            let sees = |backend: &BackendName| caller.sees(backend.as_str());
            let oracle = &shared.0.oracle;
            oracle
                .assess_verified(&offers, list.count, sees, deadline)
                .await
        }
        false => {
            let judge = move || {
                let list: CustomOffersBody<'_> = json::read(&headers, &body)?;
                let sees = |backend: &BackendName| caller.sees(backend.as_str());
                let oracle = &shared.0.oracle;
                Ok::<_, Problem>(oracle.assess_custom(list.offers(), list.count, sees))
            };
            match &admission {
                None => judge()?,
                Some(_) => heavy.0.heavy.run(judge).await?,
            }
        }
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    let answer = (json, stream::verdicts(judged)).into_response();
    Ok(match admission {
        None => answer,
        Some(admission) => (Extension(admission), answer).into_response(),
    })
}

/// The largest list, in bytes, that is judged at once: dstack's of one run are as large at most.
const LIGHT_LIST: u64 = 32 * 1024;

/// The memory that a list takes while it is judged: itself, its offers, and their verdicts.
fn kib_of_a_list(bytes: Option<u64>) -> u32 {
    let bytes = bytes.unwrap_or(u64::from(u32::MAX));
    let kib = u32::try_from(4 * (bytes / 1024)).unwrap_or(u32::MAX);
    kib.saturating_add(1024)
}
