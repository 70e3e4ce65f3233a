//! Headers of what a browser shows: it runs nothing but what stands there, is framed by nobody, and
//! tells nobody where its reader comes from.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The directives that every page of ours keeps to.
const NEVER: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
                     frame-ancestors 'none'; connect-src 'self'; img-src 'self' data:";

/// The policy of the page of the OpenAPI document, whose library writes styles into the page.
pub(super) fn policy_of_docs() -> HeaderValue {
    let own = "script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:";
    policy(own)
}

/// The policy of a page with styles and scripts inside, each allowed by its digest.
pub(super) fn policy_of(page: &str) -> HeaderValue {
    let (styles, scripts) = (digests(page, "style"), digests(page, "script"));
    policy(&format!("style-src{styles}; script-src{scripts}"))
}

fn policy(own: &str) -> HeaderValue {
    HeaderValue::try_from(format!("{NEVER}; {own}")).expect("policies are plain text")
}

/// The digests of what stands in all elements of a name.
fn digests(page: &str, element: &str) -> String {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    let inside = page.split(&start).skip(1);
    let inside = inside.filter_map(|rest| Some(rest.split_once(&end)?.0));
    inside
        .map(|text| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text))))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_page_is_allowed_by_its_digest() {
        let page = "<style>a</style><script>\nalert(1)\n</script><script>b</script>";
        let policy = policy_of(page);
        let policy = policy.to_str().unwrap();
        // Of `openssl dgst -sha256 -binary | base64`.
        let of_a = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=";
        let of_b = "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=";
        assert!(
            policy.contains(&format!("style-src 'sha256-{of_a}';")),
            "{policy}"
        );
        assert!(policy.ends_with(&format!(" 'sha256-{of_b}'")), "{policy}");
        assert_eq!(policy.matches("sha256-").count(), 3);
        assert!(!policy.contains("unsafe"));
    }
}
