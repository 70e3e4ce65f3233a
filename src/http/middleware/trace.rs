//! The span that all log lines of a request stand in, and the line that closes it.

use std::time::Duration;

use axum::http::{Request, Response};
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::request_id::RequestId;
use tower_http::trace::TraceLayer;
use tracing::Span;

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
    tracing::info_span!(
        "request",
        request_id = id.unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path()
    )
}

fn log<R>(response: &Response<R>, took: Duration, _: &Span) {
    let status = response.status().as_u16();
    let took_us = took.as_micros() as u64;
    if response.status().is_server_error() {
        tracing::warn!(status, took_us, "answered");
    } else {
        tracing::debug!(status, took_us, "answered");
    }
}
