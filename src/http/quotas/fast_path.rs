//! Fast path: serves a fresh region's cached response before routing.
//!
//! Such a response takes less time than finding its route, and nothing in it can wait or fail.
//! Anything unusual about a request leaves it to the router, which answers in the same words.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tokio::time::Instant;

use crate::http::extract::format;
use crate::http::middleware::host::names_one_host;
use crate::http::middleware::request_id::{self, REQUEST_ID};
use crate::http::settings::Scope;
use crate::http::state::Shared;

use super::conditional::{conditional, head_of};
use super::response_cache::ContentEncoding;

/// Returns the response, if it is cached and nothing about the request is unusual.
pub(in crate::http) fn answer(shared: &Shared, request: &Request) -> Option<Response> {
    let started = Instant::now();
    // After a panic here the router runs the request, and turns a second panic into a problem.
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
        && names_one_host(request.version(), headers)
        && shared.0.hosts.accept(headers)
        && uri.authority().is_none()
        && request.body().is_end_stream()
        && uri.query().is_none()
        && !format::prefers_text(headers);
    let (backend, region) = place(uri.path()).filter(|_| is_plain)?;
    let encoding = encoding(headers)?;

    let caller = shared.0.tokens.caller(headers, request.method()).ok()?;
    let may_read = caller.require(Scope::Read).is_ok() && caller.sees(backend);
    let view = may_read.then(|| shared.0.oracle.fresh_region(backend, region))??;
    let cached = shared
        .0
        .response_cache
        .get(backend, region, view.revision())?;

    let headers_of_answer = head_of(&view);
    let mut response = conditional(headers, &cached, headers_of_answer);
    if encoding != ContentEncoding::Identity && response.status() == StatusCode::OK {
        *response.body_mut() = Body::from(cached.encoded(encoding));
        let encoding = HeaderValue::from_static(encoding.into());
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, encoding);
    }
    Some(response)
}

/// Returns the backend and region of `/quotas/{backend}/{region}`, if neither is escaped.
fn place(path: &str) -> Option<(&str, &str)> {
    let (backend, region) = path.strip_prefix("/quotas/")?.split_once('/')?;
    let is_plain = !region.contains('/') && !path.contains('%');
    is_plain.then_some((backend, region))
}

/// Returns the encoding to answer in, if the caller lists encodings without weights.
fn encoding(headers: &HeaderMap) -> Option<ContentEncoding> {
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
