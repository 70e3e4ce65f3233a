//! `GET /offers/summary`: the launches that are left, by region and GPU.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::deadline::Deadline;
use crate::http::extract::query::JoinedQuery;
use crate::http::heavy::STREAMED_KIB;
use crate::http::state::Shared;
use crate::http::vocabulary::Availability;
use crate::oracle::{OfferSummary, SummaryCell};

use super::body::{OfferedBackendBody, UnknownNameBody};
use super::query::{OfferFilter, SummaryQuery};

/// The launches that are left of each GPU in each region.
#[derive(Serialize, ToSchema)]
#[schema(as = OfferSummary)]
struct SummaryBody<'a> {
    /// The regions and GPUs that have offers.
    cells: Vec<CellBody<'a>>,
    /// The GPUs of the offers that draw on each quota, whatever the filter.
    quotas: Vec<QuotaGpusBody<'a>>,
    /// Status of the backends.
    backends: Vec<OfferedBackendBody<'a>>,
    /// Names that were asked for and that nothing has, the first few; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_names: Vec<UnknownNameBody<'a>>,
}

/// The GPUs of the offers that draw on a quota.
#[derive(Serialize, ToSchema)]
#[schema(as = QuotaGpus)]
struct QuotaGpusBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The cloud's service.
    #[schema(example = "ec2")]
    service: &'a str,
    /// The cloud's code of the quota.
    #[schema(example = "L-417A185B")]
    code: &'a str,
    /// The GPU models.
    #[schema(example = json!(["A100", "H100", "H200"]))]
    gpus: Vec<&'a str>,
}

/// The offers of one GPU in one region of a backend.
#[derive(Serialize, ToSchema)]
#[schema(as = SummaryCell)]
struct CellBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// The GPU model.
    #[schema(example = "H100")]
    gpu: &'a str,
    /// Number of matching offers.
    #[schema(example = 4)]
    offers: usize,
    /// Number of them that are `available`.
    #[schema(example = 2)]
    available: usize,
    /// The best availability of any of them.
    #[schema(value_type = Availability)]
    availability: &'static str,
    /// Number of launches that are left of the offer that leaves most; null when unknown.
    #[schema(example = 3)]
    launchable: Option<u64>,
    /// Number of GPUs that launches of one offer have, of the offer with most; null when unknown.
    #[schema(example = 8)]
    gpus: Option<u64>,
    /// US dollars per hour for one GPU of the cheapest available offer; null where there is none.
    #[schema(minimum = 0, example = 6.88)]
    price_per_gpu: Option<f64>,
}

/// The launches that are left of each GPU in each region of the backends.
///
/// Offers that share a quota do not add up, so each number is that of the best single offer. Takes
/// the filter of `GET /offers`.
#[utoipa::path(get, path = "/offers/summary", operation_id = "summarize_offers", tag = "offers",
    params(OfferFilter, SummaryQuery),
    responses(
        (status = 200, body = SummaryBody<'static>),
        (status = 400, body = ProblemBody)))]
pub(in crate::http) async fn summary(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    JoinedQuery(filter, SummaryQuery { count }): JoinedQuery<OfferFilter, SummaryQuery>,
) -> Result<Response, Problem> {
    let mut question = filter.into_question(count);
    // What has no GPU is in no cell.
    let min = question.filter.min_gpu_count.unwrap_or(1);
    question.filter.min_gpu_count = Some(min.max(1));
    let heavy = &shared.0.heavy;
    let admission = heavy.admit(&caller, STREAMED_KIB, deadline).await?;
    let inner = shared.clone();
    let answer = move || {
        let oracle = &inner.0.oracle;
        let summary = oracle.summary(&question, |backend| caller.sees(backend.as_str()));
        Json(SummaryBody::of(&summary)).into_response()
    };
    Ok((Extension(admission), heavy.run(answer).await).into_response())
}

impl<'a> SummaryBody<'a> {
    fn of(summary: &'a OfferSummary) -> Self {
        Self {
            cells: summary.cells.iter().map(CellBody::of).collect(),
            quotas: summary
                .gpus_of_quotas
                .iter()
                .map(|(backend, quota, gpus)| QuotaGpusBody {
                    backend: backend.as_str(),
                    service: &quota.service,
                    code: &quota.code,
                    gpus: gpus.iter().map(String::as_str).collect(),
                })
                .collect(),
            backends: summary
                .backends
                .iter()
                .map(OfferedBackendBody::of)
                .collect(),
            unknown_names: summary.unknown.iter().map(UnknownNameBody::of).collect(),
        }
    }
}

impl<'a> CellBody<'a> {
    fn of(cell: &'a SummaryCell) -> Self {
        Self {
            backend: cell.backend.as_str(),
            region: cell.region.as_str(),
            gpu: &cell.gpu,
            offers: cell.offers,
            available: cell.available,
            availability: cell.availability.as_str(),
            launchable: cell.launchable,
            gpus: cell.gpus,
            price_per_gpu: cell.price_per_gpu,
        }
    }
}
