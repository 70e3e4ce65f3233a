//! Every route by its name, and who may use it.

use super::settings::Scope;

/// The quotas of one region, which the fast path answers.
pub(super) const REGION: &str = "/quotas/{backend}/{region}";

/// The route that speaks the AWS protocol, and all below it.
const AWS: &str = "/aws";

/// A route as the router, the metrics and the documents call it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) path: &'static str,
    /// What a token has to allow; nothing where none is needed.
    pub(super) scope: Option<Scope>,
}

/// A route that is not here is for admins only, and a test fails.
pub(super) const ROUTES: [Route; 14] = [
    Route::of("/quotas", Some(Scope::Read)),
    Route::of("/quotas/{backend}", Some(Scope::Read)),
    Route::of(REGION, Some(Scope::Read)),
    Route::of("/offers", Some(Scope::Read)),
    Route::of("/refresh/{backend}", Some(Scope::Admin)),
    Route::of("/refresh/{backend}/{region}", Some(Scope::Admin)),
    // Their callers sign instead.
    Route::of(AWS, None),
    Route::of("/aws/{backend}", None),
    Route::of("/healthz", None),
    Route::of("/readyz", None),
    Route::of("/metrics", Some(Scope::Read)),
    Route::of("/openapi.json", Some(Scope::Read)),
    // The page, and all that it is made of.
    Route::of("/docs", Some(Scope::Read)),
    Route::of("/", Some(Scope::Read)),
];

impl Route {
    const fn of(path: &'static str, scope: Option<Scope>) -> Self {
        Self { path, scope }
    }

    /// The route that the router has matched.
    pub(super) fn find(matched: &str) -> Option<&'static Self> {
        ROUTES.iter().find(|route| {
            let rest = matched.strip_prefix(route.path);
            rest.is_some_and(|rest| match route.path {
                "/docs" => rest.is_empty() || rest.starts_with('/'),
                _ => rest.is_empty() || rest == "/",
            })
        })
    }
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
    fn a_route_is_found_by_what_the_router_matches() {
        let found = |matched| Route::find(matched).map(|route| route.path);
        assert_eq!(found("/aws/{backend}/"), Some("/aws/{backend}"));
        assert_eq!(found("/docs/{*rest}"), Some("/docs"));
        assert_eq!(found("/"), Some("/"));
        assert_eq!(found("/leases"), None);
    }
}
