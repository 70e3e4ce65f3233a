//! `/offers`: what can be launched, out of the catalog or out of the caller's own list.

mod body;
mod custom_offers;
mod query;
mod stream;
mod table;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::auth::Caller;
use super::error::{Problem, ProblemBody};
use super::extract::format::wants_table;
use super::extract::json;
use super::extract::query::Query;
use super::extract::words::{AvailabilityWord, FormatWord, SortWord};
use super::state::Shared;

use body::{JudgementsBody, OffersBody};
use custom_offers::CustomOffersBody;
use stream::OFFER_BYTES;

/// The offers that can be rented, each with whether it can be launched and which quota stands in
/// the way.
///
/// Answered from memory, without waiting for a cloud: what is not known yet is `unknown`. Offers
/// are judged each on its own; families that share a quota do not add up.
#[utoipa::path(get, path = "/offers", tag = "offers",
    params(
        ("backend" = Option<Vec<String>>, Query, description = "Only of these backends", example = json!(["aws"])),
        ("region" = Option<Vec<String>>, Query, description = "Only in these regions", example = json!(["us-east-1"])),
        ("instance_type" = Option<Vec<String>>, Query, description = "Only these instance types", example = json!(["p5.48xlarge"])),
        ("gpu" = Option<Vec<String>>, Query, description = "Only with one of these GPU models", example = json!(["H100"])),
        ("gpu_vendor" = Option<Vec<String>>, Query, description = "Only with GPUs of one of these makers", example = json!(["nvidia"])),
        ("min_gpu_count" = Option<u32>, Query, description = "At least so many GPUs"),
        ("max_gpu_count" = Option<u32>, Query, description = "At most so many GPUs"),
        ("min_gpu_memory_gb" = Option<f64>, Query, minimum = 0, description = "At least so much memory in each GPU, in GiB"),
        ("min_cpus" = Option<u32>, Query, description = "At least so many virtual CPUs"),
        ("min_memory_gb" = Option<f64>, Query, minimum = 0, description = "At least so much memory, in GiB"),
        ("spot" = Option<bool>, Query, description = "Only spot offers, or none of them"),
        ("max_price" = Option<f64>, Query, minimum = 0, description = "At most this price, in US dollars per hour"),
        ("count" = Option<u32>, Query, minimum = 1, maximum = 10_000, description = "How many instances are launched together, from 1 to 10,000; 1 if absent"),
        ("availability" = inline(Option<Vec<AvailabilityWord>>), Query, description = "Only offers of which one of these is said", example = json!(["available"])),
        ("sort" = inline(Option<SortWord>), Query, description = "`price` (the cheapest first; default) or `launchable` (those that fit most often first)"),
        ("limit" = Option<u32>, Query, description = "How many at most; 100 if absent, all if 0"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before, to go on from there"),
        ("format" = inline(Option<FormatWord>), Query, description = "`json` or `table`; also by `Accept: text/plain`"),
    ),
    responses((status = 200, body = OffersBody<'static>), (status = 400, body = ProblemBody)))]
pub(super) async fn find(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &query::PARAMETERS)?;
    let question = query::question(&query)?;
    let wants_table = wants_table(&query, &headers)?;
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
/// Answered from memory, without waiting for a cloud. An offer of a backend, region or type that
/// is not known gets the verdict `unknown` with its reason; it never makes the call fail.
#[utoipa::path(post, path = "/offers", tag = "offers",
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
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    Query::parse(query.as_deref(), &[])?;
    let list: CustomOffersBody<'_> = json::read(&headers, &body)?;
    let judged = shared
        .0
        .oracle
        .assess_custom(list.offers(), list.count, |backend| {
            caller.sees(backend.as_str())
        });
    let mut bytes = Vec::with_capacity(OFFER_BYTES * (judged.assessments.len() + 1));
    let body = JudgementsBody::of(&judged);
    serde_json::to_writer(&mut bytes, &body).expect("wire structs have text keys only");
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}
