//! Requests as the metrics count them.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use crate::http::routes;
use crate::http::state::Shared;

/// Counts a request by its route and the status of its answer.
pub(super) async fn count(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.and_then(|matched| routes::label(matched.as_str()));
    let response = next.run(request).await;
    shared
        .0
        .oracle
        .metrics()
        .http_requests(route.unwrap_or("unknown"), response.status().as_u16())
        .answered(started.elapsed());
    response
}
