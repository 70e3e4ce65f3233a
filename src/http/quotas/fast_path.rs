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

use crate::http::extract::format;
use crate::http::middleware::request_id::{self, REQUEST_ID};
use crate::http::settings::Scope;
use crate::http::state::Shared;

use super::conditional::{conditional, head};
use super::response_cache::ContentEncoding;

/// The answer, if it is known already and everything about the request is usual.
pub(in crate::http) fn answer(shared: &Shared, request: &Request) -> Option<Response> {
    let started = Instant::now();
    // The router turns the panic of whatever it runs into a problem, and has to run this then.
    let answer = catch_unwind(AssertUnwindSafe(|| find(shared, request)));
    let mut response = answer.ok()??;
    let id = request_id::choose(request.headers());
    let status = response.status();
    tracing::debug!(
        request_id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
        status = status.as_u16(),
        "answered"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    let counted = &shared.0.fast_path;
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
        && !format::accepts_text_only(headers);
    let (backend, region) = place(uri.path()).filter(|_| is_plain)?;
    let coding = coding(headers)?;

    let caller = shared.0.tokens.caller(headers, request.method()).ok()?;
    let may_read = caller.require(Scope::Read).is_ok() && caller.sees(backend);
    let glance = may_read.then(|| shared.0.oracle.glance(backend, region))??;
    let freshness = Some(glance.standing.freshness);
    let kept = shared
        .0
        .response_cache
        .kept(backend, region, glance.version, freshness)?;

    let headers_of_answer = head(Some(&glance.standing));
    let mut response = conditional(headers, &kept, headers_of_answer);
    if coding != ContentEncoding::Identity && response.status() == StatusCode::OK {
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
fn coding(headers: &HeaderMap) -> Option<ContentEncoding> {
    let mut best = ContentEncoding::Identity;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for name in value.to_str().ok()?.split(',') {
            best = match name.trim() {
                "zstd" => ContentEncoding::Zstd,
                "gzip" if best == ContentEncoding::Identity => ContentEncoding::Gzip,
                name if name.contains([';', '*']) => return None,
                _ => best,
            };
        }
    }
    Some(best)
}
