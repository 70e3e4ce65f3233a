//! The short way to the answer that is asked for most: a region that is fresh, as it was rendered.
//!
//! Such an answer takes less time than finding its route, and nothing in it can wait or fail. So
//! it is given before the router is asked. Whatever is the least bit unusual goes to the router,
//! which answers the same questions in the same words, and all others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tokio::time::Instant;

use crate::telemetry::{HttpRequests, Metrics};

use super::rendered::Coding;
use super::{Scope, Shared, layers, quotas, table};

/// What counts the answers, looked up once.
#[derive(Debug)]
pub(super) struct Counted {
    whole: HttpRequests,
    not_modified: HttpRequests,
}

impl Counted {
    pub(super) fn by(metrics: &Metrics) -> Self {
        let with = |status: StatusCode| metrics.http_requests(quotas::REGION, status.as_u16());
        Self {
            whole: with(StatusCode::OK),
            not_modified: with(StatusCode::NOT_MODIFIED),
        }
    }
}

/// The answer, if it is known already and everything about the request is usual.
pub(super) fn answer(shared: &Shared, request: &Request) -> Option<Response> {
    let started = Instant::now();
    // The router turns the panic of whatever it runs into a problem, and has to run this then.
    let answer = catch_unwind(AssertUnwindSafe(|| find(shared, request)));
    let mut response = answer.ok()??;
    let id = layers::request_id(request.headers());
    let status = response.status();
    tracing::debug!(
        request_id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
        status = status.as_u16(),
        "answered"
    );
    response.headers_mut().insert(layers::REQUEST_ID, id);
    let counted = &shared.0.warm_answers;
    let counted = match status {
        StatusCode::NOT_MODIFIED => &counted.not_modified,
        _ => &counted.whole,
    };
    counted.answered(started.elapsed());
    Some(response)
}

fn find(shared: &Shared, request: &Request) -> Option<Response> {
    let (uri, headers) = (request.uri(), request.headers());
    let is_plain = request.method() == Method::GET
        && request.body().is_end_stream()
        && uri.query().is_none()
        && !table::is_accepted(headers);
    let (backend, region) = place(uri.path()).filter(|_| is_plain)?;
    let coding = coding(headers)?;

    let caller = shared.0.tokens.caller(headers, request.method()).ok()?;
    let may_read = caller.require(Scope::Read).is_ok() && caller.sees(backend);
    let glance = may_read.then(|| shared.0.oracle.glance(backend, region))??;
    let freshness = Some(glance.standing.freshness);
    let kept = shared
        .0
        .rendered
        .kept(backend, region, glance.version, freshness)?;

    let head = quotas::head(Some(&glance.standing));
    let mut response = quotas::conditional(headers, &kept, head);
    if coding != Coding::Identity && response.status() == StatusCode::OK {
        *response.body_mut() = Body::from(kept.coded(coding));
        let coding = HeaderValue::from_static(coding.as_str());
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding);
    }
    Some(response)
}

/// The backend and the region of `/quotas/{backend}/{region}`, if both are spelled plainly.
fn place(path: &str) -> Option<(&str, &str)> {
    let (backend, region) = path.strip_prefix("/quotas/")?.split_once('/')?;
    let is_plain = !region.contains('/') && !path.contains('%');
    is_plain.then_some((backend, region))
}

/// The coding to answer in, if the caller lists codings without weighing them.
fn coding(headers: &HeaderMap) -> Option<Coding> {
    let mut best = Coding::Identity;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for name in value.to_str().ok()?.split(',') {
            best = match name.trim() {
                "zstd" => Coding::Zstd,
                "gzip" if best == Coding::Identity => Coding::Gzip,
                name if name.contains([';', '*']) => return None,
                _ => best,
            };
        }
    }
    Some(best)
}
