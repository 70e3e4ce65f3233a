//! What the world sees: the HTTP interface, one file per resource.
//!
//! Handlers parse, ask the [`Oracle`] and render. Everything around them
//! (request ids, tokens, deadlines, panics, errors as problem documents, metrics) is in
//! `layers`, so that no handler can forget it; only `warm` answers without them, one question, and
//! `refused_heads` what is no request. Only `problem` chooses an error status, and `aws_protocol`
//! for the protocol that is not ours.

mod access;
mod aws_protocol;
mod body;
mod connections;
mod dashboard;
mod health;
mod json;
mod layers;
mod offers;
mod openapi;
mod problem;
mod query;
mod quotas;
mod refresh;
mod refused_heads;
mod rendered;
mod routes;
mod settings;
mod table;
mod warm;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::routing::post;
use futures_util::future::Either;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::oracle::Oracle;

pub use aws_protocol::AwsProtocol;
pub use connections::serve;
pub use openapi::document as openapi_document;
pub use settings::{
    AwsAnswers, AwsClient, AwsClientSettings, AwsMarket, AwsProtocolSettings, AwsValue, Scope,
    Settings, Token, TokenSettings,
};

use access::Tokens;
use rendered::RenderedAnswers;

/// What handlers and layers share.
#[derive(Clone, Debug)]
struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    oracle: Oracle,
    tokens: Tokens,
    request_timeout: Duration,
    rendered: RenderedAnswers,
    warm_answers: warm::Counted,
    /// Nothing where the protocol is switched off.
    aws_protocol: Option<aws_protocol::Endpoint>,
}

/// The service as a function of a request; clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    shared: Shared,
    router: Router,
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
        match warm::answer(&self.shared, &request) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(self.router.call(request)),
        }
    }
}

/// The service over what the oracle knows.
pub fn service(oracle: Oracle, settings: &Settings, aws_protocol: Option<AwsProtocol>) -> Service {
    let shared = Shared(Arc::new(Inner {
        warm_answers: warm::Counted::by(oracle.metrics()),
        oracle,
        tokens: Tokens::new(settings.tokens.clone()),
        request_timeout: settings.request_timeout,
        rendered: RenderedAnswers::default(),
        aws_protocol: aws_protocol.map(aws_protocol::Endpoint::new),
    }));
    let (router, document) = table_of_contents().split_for_parts();
    let document = openapi::complete(document);
    let router = router
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        // One layer of many parts, the outermost first: each layer of its own would box and copy
        // every route once more for every request.
        .layer(
            ServiceBuilder::new()
                .layer(axum::middleware::from_fn_with_state(
                    shared.clone(),
                    layers::answer,
                ))
                .layer(CompressionLayer::new())
                // The default limit is asked by handlers that read a body; the others have one too.
                .layer(RequestBodyLimitLayer::new(settings.max_body))
                .layer(DefaultBodyLimit::max(settings.max_body)),
        )
        .with_state(shared.clone());
    Service { shared, router }
}

/// All routes with their documentation.
fn table_of_contents() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(openapi::placeholder_quotas())
        .routes(routes!(quotas::all))
        .routes(routes!(quotas::backend))
        .routes(routes!(quotas::region))
        .routes(routes!(offers::find, offers::judge))
        .routes(routes!(refresh::backend))
        .routes(routes!(refresh::region))
        .routes(routes!(aws_protocol::backend))
        .routes(routes!(aws_protocol::default_backend))
        // Where the SDKs of Rust, Go and Java arrive, which add their own path to an endpoint's.
        .route("/aws/{backend}/", post(aws_protocol::backend))
        .route("/aws/", post(aws_protocol::default_backend))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(dashboard::index))
}
