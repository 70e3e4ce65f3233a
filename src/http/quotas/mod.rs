//! `GET /quotas…`: what is known of accounts and regions.

mod backend;
pub(super) mod body;
pub(super) mod conditional;
pub(super) mod counters;
pub(super) mod fast_path;
pub(super) mod response_cache;
mod table;

use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use crate::model::{Quota, duration};
use crate::oracle::{BackendStatus, RegionView, RowFilter};

use super::auth::Caller;
use super::auth::visibility::{check_visible, unknown, visible};
use super::error::{Problem, ProblemBody};
use super::extract::deadline::Deadline;
use super::extract::format::{Format, FormatQuery, wants_table};
use super::extract::query::{self, NoQuery, StrictQuery};
use super::settings::Scope;
use super::state::Shared;

use self::backend::{BackendBody, ContradictionBody};
use body::{BackendOverviewBody, OverviewBody, RegionBody};
use conditional::{conditional, head_of, head_of_several};
use response_cache::CachedResponse;

/// The backends, their regions and how fresh each is.
#[utoipa::path(get, path = "/quotas", operation_id = "list_quotas", tag = "quotas",
    responses((status = 200, body = OverviewBody<'static>)))]
pub(super) async fn all(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
) -> Response {
    let backends: Vec<BackendStatus> = visible(&shared, &caller);
    let body = OverviewBody {
        backends: backends
            .iter()
            .map(|status| {
                // It was there a moment ago.
                let known = shared.0.oracle.contradictions(status.name.as_str());
                let moments = known.iter().flatten().map(|one| one.at.wall);
                BackendOverviewBody::of(status, moments.max())
            })
            .collect(),
    };
    conditional(&headers, &CachedResponse::of_json(&body), HeaderMap::new())
}

/// All regions of a backend with their quotas, as far as they are known.
#[utoipa::path(get, path = "/quotas/{backend}", operation_id = "get_backend_quotas", tag = "quotas",
    params(
        ("backend" = String, Path, description = "The backend's name", example = "aws"),
        FormatQuery,
    ),
    responses(
        (status = 200, content((BackendBody<'static> = "application/json"), (String = "text/plain"))),
        (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody, description = "No such backend; `known` names those there are"),
    ))]
pub(super) async fn backend(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(backend): Path<String>,
    StrictQuery(query): StrictQuery<FormatQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    check_visible(&shared, &caller, &backend)?;
    shared.0.oracle.refresh_stale(&backend)?;
    let mut backends = visible(&shared, &caller);
    backends.retain(|status| status.name.as_str() == backend);
    // A backend that the check above has let pass is there.
    let Some(status) = backends.first() else {
        return Err(unknown(&shared, &caller, &backend));
    };
    if wants_table(query.format, &headers) {
        return Ok((head_of_several(), table::backend(status)).into_response());
    }
    let body = BackendBody {
        backend: status.name.as_str(),
        kind: status.kind.as_str(),
        account: status.account.as_ref().map(|account| account.as_str()),
        status: status.status.as_str(),
        regions: status
            .regions
            .iter()
            .map(|view| RegionBody::of(view, |_| true))
            .collect(),
        contradictions: shared
            .0
            .oracle
            .contradictions(&backend)?
            .iter()
            .map(ContradictionBody::of)
            .collect(),
    };
    Ok(conditional(
        &headers,
        &CachedResponse::of_json(&body),
        head_of_several(),
    ))
}

/// The quotas of one region.
///
/// Answered from memory whenever anything is known; otherwise waits for the cloud, up to the
/// service's `request_timeout`.
#[utoipa::path(get, path = "/quotas/{backend}/{region}", operation_id = "get_region_quotas", tag = "quotas",
    params(
        ("backend" = String, Path, description = "The backend's name", example = "aws"),
        ("region" = String, Path, description = "The cloud's own region name", example = "us-east-1"),
        RegionQuery,
    ),
    responses(
        (status = 200, content((RegionBody<'static> = "application/json"), (String = "text/plain")), headers(
            ("ETag" = String, description = "Changes when what the body says changes"),
            ("Age" = u64, description = "Seconds since the quotas were read"),
            ("Cache-Control" = String, description = "`private`, with how long a reading is fresh as `max-age`, or `no-cache` while a lease is live on the region"),
        )),
        (status = 304, description = "What the body says has not changed"),
        (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody, description = "No such backend or region; `known` names those there are"),
        (status = 502, body = ProblemBody, description = "Nothing is known and the cloud refuses"),
        (status = 503, body = ProblemBody, description = "Nothing is known yet; `Retry-After` says when to ask again"),
    ))]
pub(super) async fn region(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    Path((backend, region)): Path<(String, String)>,
    // The whole request, because taking its headers alone would copy them.
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    check_visible(&shared, &caller, &backend)?;
    let query: RegionQuery = query::parse(request.uri().query())?;
    if query.max_age.is_some() {
        caller.require(Scope::Verify)?;
    }
    let view = shared
        .0
        .oracle
        .region(&backend, &region, query.max_age, query.rows(), deadline)
        .await?;
    Ok(answer(&shared, &view, &query, headers))
}

/// The query of a region's quotas.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct RegionQuery {
    /// Read the cloud now unless the snapshot is younger; needs the scope `verify`.
    #[serde(deserialize_with = "max_age")]
    #[param(value_type = Option<String>, example = "30s")]
    max_age: Option<Duration>,
    /// Only quotas of these services.
    #[param(example = json!(["ec2"]))]
    service: Vec<String>,
    /// Only quotas with these codes.
    #[param(example = json!(["L-417A185B"]))]
    code: Vec<String>,
    /// `json` or `table`; also by `Accept: text/plain`.
    #[param(inline)]
    format: Option<Format>,
}

fn max_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let max_age = duration::parse(&text);
    max_age
        .map(Some)
        .map_err(|error| D::Error::custom(format!("`max_age`: {error}")))
}

impl RegionQuery {
    fn is_filtered(&self) -> bool {
        !self.service.is_empty() || !self.code.is_empty()
    }

    fn rows(&self) -> RowFilter<'_> {
        RowFilter {
            services: &self.service,
            codes: &self.code,
        }
    }
}

fn answer(
    shared: &Shared,
    view: &RegionView,
    query: &RegionQuery,
    headers: &HeaderMap,
) -> Response {
    let keep = |quota: &Quota| query.rows().matches(&quota.key);
    let head = head_of(view);
    if wants_table(query.format, headers) {
        let text = table::region(view, keep);
        return (head, text).into_response();
    }
    if query.is_filtered() {
        let rendered = CachedResponse::of_json(&RegionBody::of(view, keep));
        return conditional(headers, &rendered, head);
    }
    conditional(headers, &shared.0.response_cache.region(view), head)
}
