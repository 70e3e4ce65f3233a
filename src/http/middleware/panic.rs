//! Panics of handlers, as errors.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::http::error::{Kind, Problem};

/// Returns the answer of a handler that panicked. The panic hook has logged what happened, within
/// the span of the request.
pub(super) fn answer(_: Box<dyn Any + Send>) -> Response {
    let detail = "the request could not be answered; the log has the panic under this request's id";
    Problem::new(Kind::Internal, detail).into_response()
}
