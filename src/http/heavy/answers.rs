//! Answers until they are written: whoever does not read what was asked for keeps its memory.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use crate::http::state::Shared;

use super::counted::counted;
use super::{Admission, pieces};

/// A smaller answer is not counted: its connection takes more.
const SMALL: u64 = 2 * 1024;

/// The memory of a compressor in use.
const COMPRESSOR_KIB: u32 = 512;

/// From this size on, compressing takes long enough to be done apart.
const SLOW_TO_COMPRESS: u64 = 32 * 1024;

/// Marks an answer that is compressed apart.
#[derive(Clone, Copy)]
struct Large;

/// Finds room for an answer that is whole in memory, before it is compressed.
pub(in crate::http) async fn hold(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let encodings = request.headers().get(header::ACCEPT_ENCODING).cloned();
    let mut response = next.run(request).await;
    let Some(size) = response.body().size_hint().exact() else {
        return response;
    };
    if size < SMALL {
        return response;
    }
    let is_compressed = encodings.is_some_and(|it| !it.is_empty() && it != "identity");
    let compressor = if is_compressed { COMPRESSOR_KIB } else { 0 };
    let kib = u32::try_from(size / 1024).unwrap_or(u32::MAX);
    let kib = kib.saturating_add(compressor);
    if let Some(admission) = response.extensions().get::<Admission>().cloned() {
        admission.shrink_to(kib);
        return with_count(response, admission).await;
    }
    let room: OwnedSemaphorePermit = match shared.0.heavy.hold(kib) {
        Ok(room) => room,
        Err(problem) => return problem.into_response(),
    };
    if size >= SLOW_TO_COMPRESS {
        response.extensions_mut().insert(Large);
    }
    with_count(response, room).await
}

async fn with_count<C: Send + 'static>(response: Response, count: C) -> Response {
    let (head, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => Response::from_parts(head, Body::from(counted(bytes, count))),
        // It was in memory, so this does not happen.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Writes heavy answers, and compresses large ones, away from the threads that serve light ones.
pub(in crate::http) async fn apart(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let admission = response.extensions_mut().remove::<Admission>();
    let is_large = response.extensions().get::<Large>().is_some();
    if admission.is_none() && !is_large {
        return response;
    }
    // Whole bytes have only to be sent.
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| pieces::apart(shared, body, admission))
}
