//! The span that all log lines of a request stand in, and the line that closes it.

use std::time::Duration;

use axum::http::{Request, Response, StatusCode};
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::request_id::RequestId;
use tower_http::trace::TraceLayer;
use tracing::Span;

use crate::http::auth::KnownCaller;

/// The longest part of a path that log lines repeat; no path of ours is as long.
const LONGEST_PATH: usize = 256;

/// The layer of requests with bodies `Q` and answers with bodies `R`.
type Layer<Q, R> = TraceLayer<
    SharedClassifier<ServerErrorsAsFailures>,
    fn(&Request<Q>) -> Span,
    (),
    fn(&Response<R>, Duration, &Span),
    (),
    (),
    (),
>;

/// Logs nothing of a request's body or of how its answer is streamed: the span and one line.
pub(super) fn layer<Q, R>() -> Layer<Q, R> {
    TraceLayer::new_for_http()
        .make_span_with(span as fn(&Request<Q>) -> Span)
        .on_request(())
        .on_response(log as fn(&Response<R>, Duration, &Span))
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn span<Q>(request: &Request<Q>) -> Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok());
    let path = request.uri().path();
    tracing::info_span!(
        "request",
        request_id = id.unwrap_or_default(),
        method = %request.method(),
        path = &path[..path.floor_char_boundary(LONGEST_PATH)]
    )
}

fn log<R>(response: &Response<R>, took: Duration, _: &Span) {
    let status = response.status().as_u16();
    let took_us = took.as_micros() as u64;
    // Whoever is not known writes no log: they would fill a disk with it. A 500 is our own.
    let is_known = response.extensions().get::<KnownCaller>().is_some();
    let is_ours = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
    if is_ours || (is_known && response.status().is_server_error()) {
        tracing::warn!(status, took_us, "answered");
    } else {
        tracing::debug!(status, took_us, "answered");
    }
}
