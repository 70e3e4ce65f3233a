//! `GET /quotas…`: what is known of accounts and regions.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::oracle::{BackendStatus, QuotaError, RegionView, Standing};

use super::access::Caller;
use super::body::{BackendBody, BackendOverviewBody, OverviewBody, RegionBody};
use super::layers::Deadline;
use super::openapi::FormatWord;
use super::problem::{Problem, ProblemBody};
use super::query::Query;
use super::rendered::Rendered;
use super::{Scope, Shared, table};

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
        &Rendered::of_json(&body),
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
    let wants_table = table::is_wanted(&query, &headers)?;
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
    Ok(conditional(&headers, &Rendered::of_json(&body), head(None)))
}

/// The route of [`region`], as metrics call it.
pub(super) const REGION: &str = "/quotas/{backend}/{region}";

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
        let table = table::is_wanted(&query, headers)?;
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
        let rendered = Rendered::of_json(&RegionBody::of(view, keep));
        return conditional(headers, &rendered, head);
    }
    conditional(headers, &shared.0.rendered.region(view), head)
}

/// The headers that say how far an answer about a region may be relied on.
pub(super) fn head(standing: Option<&Standing>) -> HeaderMap {
    // All headers of the answer will fit.
    let mut head = HeaderMap::with_capacity(8);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    head.insert(header::VARY, vary);
    if let Some(standing) = standing {
        head.insert(header::AGE, HeaderValue::from(standing.age.as_secs()));
        let cache = format!("max-age={}", standing.fresh_for.as_secs());
        let cache = HeaderValue::try_from(cache).expect("a number in words is a header value");
        head.insert(header::CACHE_CONTROL, cache);
    }
    head
}

/// The body, or 304 if the caller has it already.
pub(super) fn conditional(
    asked: &HeaderMap,
    rendered: &Rendered,
    mut headers: HeaderMap,
) -> Response {
    headers.insert(header::ETAG, rendered.etag.clone());
    let mut response = if has_it(asked, &rendered.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Response::new(Body::from(rendered.body.clone()))
    };
    // Put in place whole: adding them one by one would hash every name again.
    *response.headers_mut() = headers;
    response
}

/// Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, section 13.1.2).
fn has_it(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(etag) = etag.to_str() else {
        return false;
    };
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || strong(tag) == strong(etag))
}

fn visible(shared: &Shared, caller: &Caller) -> Vec<BackendStatus> {
    let mut backends = shared.0.oracle.backends();
    backends.retain(|status| caller.sees(status.name.as_str()));
    backends
}

/// Refuses a backend that does not exist for the caller, as if it did not exist at all.
pub(super) fn check_visible(
    shared: &Shared,
    caller: &Caller,
    backend: &str,
) -> Result<(), Problem> {
    if caller.sees(backend) && shared.0.oracle.has_backend(backend) {
        return Ok(());
    }
    Err(unknown(shared, caller, backend))
}

fn unknown(shared: &Shared, caller: &Caller, backend: &str) -> Problem {
    let mut known = shared.0.oracle.backend_names();
    known.retain(|name| caller.sees(name.as_str()));
    let asked = backend.to_owned();
    QuotaError::UnknownBackend { asked, known }.into()
}
