//! Requests that a page in a browser may be behind: those under a foreign name, and those of
//! another site.
//!
//! A page can make its own name lead to this machine, and then read what it likes. Where no token
//! is asked for, only names of this machine are answered, and those that the operator lists.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::error::{Kind, Problem};
use crate::http::state::Shared;

/// The header in which a browser says which site a request comes from (Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a page in a browser may be behind.
pub(super) async fn check(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match refusal(&shared, &request) {
        Some(problem) => Err(problem),
        None => Ok(next.run(request).await),
    }
}

fn refusal(shared: &Shared, request: &Request) -> Option<Problem> {
    let (version, headers) = (request.version(), request.headers());
    if !names_one_host(version, headers) {
        return Some(Problem::bad(
            "Host",
            "a request needs exactly one `Host` header",
        ));
    }
    let hosts = &shared.0.hosts;
    let of_address = request.uri().authority().map(Authority::host);
    if !hosts.accept(headers) || !of_address.is_none_or(|host| hosts.go_by(host)) {
        return Some(Problem::new(
            Kind::ForeignHost,
            "a service without tokens is asked by a name of its own machine, such as `localhost`, \
             or by one of `server.hosts`",
        ));
    }
    let spends_calls = || {
        request
            .uri()
            .query()
            .is_some_and(|it| it.contains("max_age"))
    };
    let is_safe = request.method().is_safe() && !spends_calls();
    if !is_safe && is_cross_site(headers) {
        return Some(Problem::new(
            Kind::CrossSite,
            "a page of another site may not ask for this",
        ));
    }
    None
}

/// Whether a request has exactly one `Host` (RFC 9112, section 3.2); HTTP/1.0, as some health checks
/// still speak it, needs none.
pub(in crate::http) fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, _) => version == Version::HTTP_10,
        (Some(_), Some(_)) => false,
    }
}

/// Whether a browser sends a request for a page of another site, another port included.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |value: Option<&HeaderValue>| {
        value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    if let Some(site) = text(headers.get(FETCH_SITE)) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = text(headers.get(header::ORIGIN)) else {
        return false;
    };
    let own = text(headers.get(header::HOST)).unwrap_or_default();
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    !authority.is_some_and(|authority| authority.eq_ignore_ascii_case(&own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(named: &[(HeaderName, &str)]) -> HeaderMap {
        let header = |(name, value): &(HeaderName, &str)| {
            (name.clone(), HeaderValue::from_str(value).unwrap())
        };
        named.iter().map(header).collect()
    }

    #[test]
    fn a_browser_says_where_a_request_comes_from() {
        let own = (header::HOST, "localhost:8080");
        let site = |site| is_cross_site(&headers(&[own.clone(), (FETCH_SITE, site)]));
        assert!(site("cross-site") && site("same-site") && site("nonsense"));
        assert!(!site("same-origin") && !site("none"));
        let origin = |origin| is_cross_site(&headers(&[own.clone(), (header::ORIGIN, origin)]));
        assert!(origin("http://evil.example") && origin("null"));
        assert!(origin("http://localhost:3000") && origin("http://localhost"));
        assert!(!origin("http://LOCALHOST:8080") && !origin("https://localhost:8080"));
        assert!(!is_cross_site(&headers(&[own])));
    }
}
