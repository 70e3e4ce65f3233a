//! The `Host` header, of which a request has exactly one (RFC 9112, section 3.2).

use axum::extract::Request;
use axum::http::{HeaderMap, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::error::Problem;

/// Refuses a request without a `Host`, or with several: two readers could take it for different
/// ones.
pub(super) async fn require_one(request: Request, next: Next) -> Result<Response, Problem> {
    if names_one_host(request.version(), request.headers()) {
        return Ok(next.run(request).await);
    }
    Err(Problem::bad(
        "Host",
        "a request needs exactly one `Host` header",
    ))
}

/// Whether a request has exactly one `Host`; HTTP/1.0, as some health checks still speak it, needs
/// none.
pub(in crate::http) fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, _) => version == Version::HTTP_10,
        (Some(_), Some(_)) => false,
    }
}
