//! The headers of an answer that say how far it may be relied on, and conditional requests.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::oracle::Standing;

use super::response_cache::CachedResponse;

/// The headers that say how far an answer about a region may be relied on.
pub(in crate::http) fn head(standing: Option<&Standing>) -> HeaderMap {
    // All headers of the answer will fit.
    let mut head = HeaderMap::with_capacity(8);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    head.insert(header::VARY, vary);
    if let Some(standing) = standing {
        head.insert(header::AGE, HeaderValue::from(standing.age.as_secs()));
        let cache = format!("max-age={}", standing.fresh_for.as_secs());
        let cache = HeaderValue::try_from(cache).expect("a number in words is a header value");
        head.insert(header::CACHE_CONTROL, cache);
    }
    head
}

/// The body, or 304 if the caller has it already.
pub(in crate::http) fn conditional(
    asked: &HeaderMap,
    rendered: &CachedResponse,
    mut headers: HeaderMap,
) -> Response {
    headers.insert(header::ETAG, rendered.etag.clone());
    let mut response = if etag_matches(asked, &rendered.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Response::new(Body::from(rendered.body.clone()))
    };
    // Put in place whole: adding them one by one would hash every name again.
    *response.headers_mut() = headers;
    response
}

/// Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, section 13.1.2).
fn etag_matches(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(etag) = etag.to_str() else {
        return false;
    };
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || strong(tag) == strong(etag))
}
