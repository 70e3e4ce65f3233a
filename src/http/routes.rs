//! The names of the routes, as the router, the metrics and the documents have them.

/// The quotas of one region, which the fast path answers.
pub(super) const REGION: &str = "/quotas/{backend}/{region}";

/// The document of the interface, which is not in itself.
pub(super) const OPENAPI: &str = "/openapi.json";

/// The page of the document, and all that it is made of.
pub(super) const DOCS: &str = "/docs";

/// A file of the page, which is no part of the interface.
pub(super) const PAGE_FILE: &str = "/page/{file}";

/// The route that speaks the AWS protocol, and all below it.
const AWS: &str = "/aws";

/// Every route. One that is missing here has no label in the metrics, and a test fails.
pub(super) const ROUTES: [&str; 27] = [
    "/quotas",
    "/quotas/{backend}",
    REGION,
    "/offers",
    "/offers/summary",
    "/plan",
    "/verify",
    "/leases",
    "/leases/{id}",
    "/leases/{id}/commit",
    "/leases/{id}/renew",
    "/feedback",
    "/feedback/unrecognised",
    "/feedback/{backend}",
    "/refresh/{backend}",
    "/refresh/{backend}/{region}",
    AWS,
    "/aws/{backend}",
    "/healthz",
    "/readyz",
    "/metrics",
    "/events",
    "/session",
    OPENAPI,
    DOCS,
    PAGE_FILE,
    "/",
];

/// Returns what the metrics call the route that the router has matched.
pub(super) fn label(matched: &str) -> Option<&'static str> {
    ROUTES.into_iter().find(|route| {
        let rest = matched.strip_prefix(route);
        rest.is_some_and(|rest| match *route {
            DOCS => rest.is_empty() || rest.starts_with('/'),
            _ => rest.is_empty() || rest == "/",
        })
    })
}

/// Whether a route speaks the AWS protocol.
pub(super) fn speaks_aws(route: &str) -> bool {
    let rest = route.strip_prefix(AWS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_found_by_what_the_router_matches() {
        assert_eq!(label("/aws/{backend}/"), Some("/aws/{backend}"));
        assert_eq!(label("/docs/{*rest}"), Some(DOCS));
        assert_eq!(label("/"), Some("/"));
        assert_eq!(label("/elsewhere"), None);
    }

    #[test]
    fn only_routes_below_aws_speak_its_protocol() {
        assert!(speaks_aws("/aws") && speaks_aws("/aws/{backend}/"));
        assert!(!speaks_aws("/awsome") && !speaks_aws("/quotas"));
    }
}
