//! Every route with what handles it, and the layers around them all.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::routing::{get, post};
use futures_util::future::Either;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{self as swagger_ui, SwaggerUi};

use crate::oracle::Oracle;

use super::auth::Tokens;
use super::auth::scope::require;
use super::aws_protocol::endpoint::{AwsProtocol, Endpoint};
use super::drain::Drain;
use super::heavy::Heavy;
use super::hosts::Hosts;
use super::page::{policy_of_docs, protected};
use super::quotas::counters::FastPathCounters;
use super::quotas::fast_path;
use super::quotas::response_cache::ResponseCache;
use super::settings::{Scope, Settings};
use super::state::{Inner, Shared};
use super::streams::Streams;
use super::{
    aws_protocol, dashboard, error, events, feedback, health, leases, middleware, offers, openapi,
    quotas, refresh, routes, session, verify,
};

/// The largest body about one launch; thousands of them may be under way.
const LARGEST_LAUNCH: usize = 64 * 1024;

/// The largest report on a launch: an error may come with a traceback and all that was in it.
const LARGEST_REPORT: usize = 1024 * 1024;

/// The document as its page asks for it, also where a proxy serves both below a path.
const OPENAPI_FROM_DOCS: &str = "../openapi.json";

/// The service as a function of a request; clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    shared: Shared,
    router: Router,
}

impl Service {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl tower::Service<Request> for Service {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // So is the router, always.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match fast_path::answer(&self.shared, &request) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(self.router.call(request)),
        }
    }
}

/// The service over what the oracle knows.
pub fn service(oracle: Oracle, settings: &Settings, aws_protocol: Option<AwsProtocol>) -> Service {
    let shared = Shared(Arc::new(Inner {
        fast_path: FastPathCounters::new(oracle.metrics()),
        leases: oracle.lease_settings(),
        heavy: Heavy::new(settings.tokens.iter().map(|token| &*token.name)),
        drain: Drain::default(),
        streams: Streams::default(),
        hosts: Hosts::new(settings),
        metrics_kib: AtomicU32::new(1024),
        oracle,
        tokens: Tokens::new(settings.tokens.clone()),
        request_timeout: settings.request_timeout,
        response_cache: ResponseCache::default(),
        aws_protocol: aws_protocol.map(Endpoint::new),
    }));
    let require = |scope| from_fn_with_state((shared.clone(), scope), require);
    let guarded = |routes: Router<Shared>, scope: Option<Scope>| {
        let routes = routes.method_not_allowed_fallback(error::method_not_allowed);
        match scope {
            Some(scope) => routes.route_layer(require(scope)),
            None => routes,
        }
    };
    let docs = SwaggerUi::new(routes::DOCS)
        .url(routes::OPENAPI, openapi_document())
        .config(swagger_ui::Config::from(OPENAPI_FROM_DOCS));
    let docs = Router::from(docs).layer(map_response(page_of_docs));
    // What does not exist is told to whoever may read.
    let unknown = Router::new().fallback(error::unknown_route);
    let router = groups()
        .into_iter()
        .fold(Router::new(), |all, (scope, group)| {
            all.merge(guarded(Router::from(group), scope))
        })
        .merge(guarded(docs, Some(Scope::Read)))
        .merge(unknown.layer(require(Scope::Read)));
    let router = middleware::around(router, &shared, settings.max_body);
    Service {
        router: router.with_state(shared.clone()),
        shared,
    }
}

/// Leads from `/docs` to `/docs/` by a relative address, which holds below a path too; and says what
/// the page may do.
async fn page_of_docs(mut response: Response) -> Response {
    if let Some(location) = response.headers_mut().get_mut(header::LOCATION) {
        *location = HeaderValue::from_static("docs/");
    }
    protected(response, policy_of_docs())
}

/// All documented routes, by the scope that they need; none where whoever can reach the service
/// may use them, or proves otherwise who they are.
fn groups() -> [(Option<Scope>, OpenApiRouter<Shared>); 4] {
    let open = OpenApiRouter::new()
        // Their callers sign instead.
        .routes(routes!(aws_protocol::backend))
        .routes(routes!(aws_protocol::default_backend))
        // Where the SDKs of Rust, Go and Java arrive, which add their own path to an endpoint's.
        .route("/aws/{backend}/", post(aws_protocol::backend))
        .route("/aws/", post(aws_protocol::default_backend))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        // The page asks for a token itself, and nothing in it is anybody's.
        .routes(routes!(dashboard::index))
        .route(routes::PAGE_FILE, get(dashboard::file))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(session::show, session::begin, session::end))
                .layer(DefaultBodyLimit::max(LARGEST_LAUNCH)),
        );
    let readers = OpenApiRouter::new()
        .routes(routes!(quotas::all))
        .routes(routes!(quotas::backend))
        .routes(routes!(quotas::region))
        .routes(routes!(offers::find, offers::judge))
        .routes(routes!(offers::summary::summary))
        .routes(routes!(offers::plan::plan))
        .merge(
            OpenApiRouter::new()
                // Taking one needs more than listing them, and asks for it itself.
                .routes(routes!(leases::list, leases::take))
                .layer(DefaultBodyLimit::max(LARGEST_LAUNCH)),
        )
        .merge(
            OpenApiRouter::new()
                // It asks for more unless it is a dry run.
                .routes(routes!(feedback::report))
                .layer(DefaultBodyLimit::max(LARGEST_REPORT)),
        )
        .routes(routes!(health::metrics))
        .routes(routes!(events::events));
    let verifiers = OpenApiRouter::new()
        .routes(routes!(verify::verify))
        .routes(routes!(leases::commit))
        .routes(routes!(leases::renew))
        .routes(routes!(leases::release))
        .layer(DefaultBodyLimit::max(LARGEST_LAUNCH));
    let admins = OpenApiRouter::new()
        .routes(routes!(feedback::unrecognised))
        .routes(routes!(feedback::forget))
        .routes(routes!(refresh::backend))
        .routes(routes!(refresh::region));
    [
        (None, open),
        (Some(Scope::Read), readers),
        (Some(Scope::Verify), verifiers),
        (Some(Scope::Admin), admins),
    ]
}

/// The OpenAPI 3.1 document of the service.
pub fn openapi_document() -> OpenApi {
    let mut document = openapi::base();
    for (scope, group) in groups() {
        let mut routes = group.into_openapi();
        match scope {
            Some(_) => openapi::add_refusals(&mut routes),
            None => openapi::add_open_refusals(&mut routes),
        }
        document.merge(routes);
    }
    openapi::complete(document)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::routes::ROUTES;

    #[test]
    fn the_routes_are_those_of_the_document() {
        let document = openapi_document();
        let documented: BTreeSet<&str> = document.paths.paths.keys().map(String::as_str).collect();
        // The document, its page and the files of ours are not in it.
        let named = ROUTES.into_iter();
        let named: BTreeSet<&str> = named
            .filter(|path| ![routes::OPENAPI, routes::DOCS, routes::PAGE_FILE].contains(path))
            .collect();
        assert_eq!(named, documented);
    }

    #[test]
    fn what_needs_a_token_says_how_it_is_refused_and_all_refuse_alike() {
        let document = serde_json::to_value(openapi_document()).unwrap();
        let status =
            |path: &str, status: &str| document["paths"][path]["get"]["responses"][status].clone();
        let schema = "#/components/schemas/Problem";
        for refusal in ["400", "401", "403", "404", "default"] {
            let refusal = status("/quotas/{backend}/{region}", refusal);
            let content = &refusal["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], schema, "{refusal}");
            assert_ne!(refusal["description"], "", "{refusal}");
        }
        assert_eq!(status("/healthz", "401"), serde_json::Value::Null);
        let plain = format!("\"application/json\":{{\"schema\":{{\"$ref\":\"{schema}\"}}");
        assert!(!document.to_string().contains(&plain));
    }
}
