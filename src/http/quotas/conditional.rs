//! Conditional requests, and the headers that tell caches how old an answer is.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::oracle::{Age, RegionView};

use super::response_cache::CachedResponse;

/// Returns the headers of an answer about several regions, which are of several ages.
pub(in crate::http) fn head_of_several() -> HeaderMap {
    head(None, false)
}

/// Returns the headers that say how old an answer about a region is, and how long it may be cached.
pub(in crate::http) fn head_of(view: &RegionView) -> HeaderMap {
    head(view.age(), view.has_leases())
}

fn head(age: Option<Age>, has_leases: bool) -> HeaderMap {
    // All headers of the answer will fit.
    let mut head = HeaderMap::with_capacity(8);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    head.insert(header::VARY, vary);
    if let Some(age) = age {
        head.insert(header::AGE, HeaderValue::from(age.age.as_secs()));
        // A cache takes the age off itself (RFC 9111, section 4.2.3).
        let cache = match has_leases {
            // The next lease changes the answer at once.
            true => HeaderValue::from_static("private, no-cache"),
            false => {
                let text = format!("private, max-age={}", age.fresh_for.as_secs());
                HeaderValue::try_from(text).expect("words and digits are a header value")
            }
        };
        head.insert(header::CACHE_CONTROL, cache);
    }
    head
}

/// Returns the body, or 304 if the caller has it already.
pub(in crate::http) fn conditional(
    asked: &HeaderMap,
    cached: &CachedResponse,
    mut headers: HeaderMap,
) -> Response {
    headers.insert(header::ETAG, cached.etag.clone());
    let mut response = if etag_matches(asked, &cached.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Response::new(Body::from(cached.body.clone()))
    };
    // Replaced whole: adding them one by one would hash every name again.
    *response.headers_mut() = headers;
    response
}

/// Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, section 13.1.2).
///
/// The `headers` crate asserts that tags hold no spaces, which callers may send.
pub(in crate::http) fn etag_matches(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    fn opaque(tag: &str) -> &str {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag)
    }
    let Ok(etag) = etag.to_str() else {
        return false;
    };
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}
