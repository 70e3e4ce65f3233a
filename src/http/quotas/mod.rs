//! `GET /quotas…`: what is known of accounts and regions.

pub(super) mod body;
mod conditional;
pub(super) mod counters;
pub(super) mod fast_path;
pub(super) mod response_cache;
mod table;

use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::oracle::{BackendStatus, RegionView};

use super::auth::Caller;
use super::auth::visibility::{check_visible, unknown, visible};
use super::error::{Problem, ProblemBody};
use super::extract::deadline::Deadline;
use super::extract::format;
use super::extract::query::Query;
use super::extract::words::FormatWord;
use super::settings::Scope;
use super::state::Shared;

use body::{BackendBody, BackendOverviewBody, OverviewBody, RegionBody};
use conditional::{conditional, head};
use response_cache::CachedResponse;

/// The backends, their regions and how fresh each is.
#[utoipa::path(get, path = "/quotas", tag = "quotas",
    responses((status = 200, body = OverviewBody<'static>)))]
pub(super) async fn all(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Query::parse(query.as_deref(), &[])?;
    let backends: Vec<BackendStatus> = visible(&shared, &caller);
    let body = OverviewBody {
        backends: backends.iter().map(BackendOverviewBody::of).collect(),
    };
    Ok(conditional(
        &headers,
        &CachedResponse::of_json(&body),
        HeaderMap::new(),
    ))
}

/// All regions of a backend with their quotas, as far as they are known.
#[utoipa::path(get, path = "/quotas/{backend}", tag = "quotas",
    params(
        ("backend" = String, Path, description = "The backend's name", example = "aws"),
        ("format" = inline(Option<FormatWord>), Query, description = "`json` or `table`; also by `Accept: text/plain`"),
    ),
    responses(
        (status = 200, body = BackendBody<'static>),
        (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody, description = "No such backend; `known` names those there are"),
    ))]
pub(super) async fn backend(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(backend): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &["format"])?;
    let wants_table = format::wants_table(&query, &headers)?;
    check_visible(&shared, &caller, &backend)?;
    shared.0.oracle.refresh_stale(&backend)?;
    let mut backends = visible(&shared, &caller);
    backends.retain(|status| status.name.as_str() == backend);
    // A backend that the check above has let pass is there.
    let Some(status) = backends.first() else {
        return Err(unknown(&shared, &caller, &backend));
    };
    if wants_table {
        return Ok((head(None), table::regions(&status.regions)).into_response());
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
    };
    Ok(conditional(
        &headers,
        &CachedResponse::of_json(&body),
        head(None),
    ))
}

/// The quotas of one region.
///
/// Answered from memory whenever anything is known; otherwise waits for the cloud, up to the
/// service's `request_timeout`.
#[utoipa::path(get, path = "/quotas/{backend}/{region}", tag = "quotas",
    params(
        ("backend" = String, Path, description = "The backend's name", example = "aws"),
        ("region" = String, Path, description = "The cloud's own region name", example = "us-east-1"),
        ("max_age" = Option<String>, Query, description = "Read the cloud now unless the snapshot is younger; needs the scope `verify`", example = "30s"),
        ("service" = Option<Vec<String>>, Query, description = "Only quotas of these services", example = json!(["ec2"])),
        ("code" = Option<Vec<String>>, Query, description = "Only these quotas", example = json!(["L-417A185B"])),
        ("format" = inline(Option<FormatWord>), Query, description = "`json` or `table`; also by `Accept: text/plain`"),
    ),
    responses(
        (status = 200, body = RegionBody<'static>, headers(
            ("ETag" = String, description = "Changes when what the body says changes"),
            ("Age" = u64, description = "Seconds since the quotas were read"),
            ("Cache-Control" = String, description = "max-age: seconds until the answer is stale"),
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
    let asked = Asked::parse(request.uri().query(), headers)?;
    if asked.max_age.is_some() {
        caller.require(Scope::Verify)?;
    }
    let view = shared
        .0
        .oracle
        .region(&backend, &region, asked.max_age, deadline)
        .await?;
    Ok(answer(&shared, &view, &asked, headers))
}

/// What a question about a region asks for besides the region.
struct Asked {
    max_age: Option<Duration>,
    services: Vec<String>,
    codes: Vec<String>,
    table: bool,
}

impl Asked {
    fn parse(query: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        let query = Query::parse(query, &["max_age", "service", "code", "format"])?;
        let table = format::wants_table(&query, headers)?;
        Ok(Self {
            max_age: query.duration("max_age")?,
            services: query.names("service")?.unwrap_or_default(),
            codes: query.names("code")?.unwrap_or_default(),
            table,
        })
    }

    fn is_filtered(&self) -> bool {
        !self.services.is_empty() || !self.codes.is_empty()
    }

    fn keeps(&self, service: &str, code: &str) -> bool {
        let among = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|one| one.eq_ignore_ascii_case(value))
        };
        among(&self.services, service) && among(&self.codes, code)
    }
}

fn answer(shared: &Shared, view: &RegionView, asked: &Asked, headers: &HeaderMap) -> Response {
    let keep = |quota: &crate::model::Quota| asked.keeps(&quota.key.service, &quota.key.code);
    let head = head(view.known.as_ref().map(|known| &known.standing));
    if asked.table {
        let text = table::region(view, keep);
        return (head, text).into_response();
    }
    if asked.is_filtered() {
        let rendered = CachedResponse::of_json(&RegionBody::of(view, keep));
        return conditional(headers, &rendered, head);
    }
    conditional(headers, &shared.0.response_cache.region(view), head)
}
