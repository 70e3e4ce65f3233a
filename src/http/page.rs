//! Headers of what a browser shows: it runs nothing but files of ours, is framed by nobody, and tells
//! nobody where its reader comes from.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

/// The directives that every page of ours keeps to.
const NEVER: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
                     frame-ancestors 'none'; connect-src 'self'; img-src 'self' data:";

/// The policy of the page of the OpenAPI document, whose library writes styles into the page.
pub(super) fn policy_of_docs() -> HeaderValue {
    let own = "script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:";
    policy(own)
}

/// The policy of the page, which loads its own files and has nothing inside.
pub(super) fn policy_of_page() -> HeaderValue {
    policy("script-src 'self'; style-src 'self'")
}

fn policy(own: &str) -> HeaderValue {
    HeaderValue::try_from(format!("{NEVER}; {own}")).expect("policies are plain text")
}

/// Adds the headers.
pub(super) fn protected(mut response: Response, policy: HeaderValue) -> Response {
    const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
    const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
    const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::REFERRER_POLICY, NO_REFERRER),
        (header::CACHE_CONTROL, ASK_AGAIN),
    ];
    response.headers_mut().extend(headers);
    response
}
