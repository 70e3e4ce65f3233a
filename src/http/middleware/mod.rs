//! Layers around every route, the outermost first: an id for the request, a span for its log
//! lines, its count in the metrics, errors as problem documents, panics as errors, a deadline, a
//! single `Host`, and bounds on the answers that are held.
//!
//! `quotas/fast_path` answers outside of them.

mod deadline;
pub(super) mod host;
mod metrics;
mod panic;
mod problems;
pub(super) mod request_id;
mod trace;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};

use super::heavy::answers;
use super::state::Shared;

/// Puts all layers around a router; `max_body` is the largest request body in bytes.
pub(super) fn around(router: Router<Shared>, shared: &Shared, max_body: usize) -> Router<Shared> {
    // One stack instead of a layer at a time: each `Router::layer` boxes every route once more.
    let layers = ServiceBuilder::new()
        .map_request(request_id::discard_unusable)
        .layer(SetRequestIdLayer::x_request_id(request_id::RandomId))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace::layer())
        .layer(from_fn_with_state(shared.clone(), metrics::count))
        .layer(from_fn(problems::render))
        .layer(CatchPanicLayer::custom(panic::answer))
        .layer(from_fn_with_state(shared.clone(), deadline::enforce))
        .layer(from_fn_with_state(shared.clone(), host::check))
        .layer(from_fn_with_state(shared.clone(), answers::apart))
        // The best compression takes many times as long, and as much memory.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(shared.clone(), answers::hold))
        // The default limit is asked by handlers that read a body; the others have one too.
        .layer(RequestBodyLimitLayer::new(max_body))
        .layer(DefaultBodyLimit::max(max_body));
    router.layer(layers)
}
