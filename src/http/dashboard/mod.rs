//! `GET /`: a page for a browser, a short index for everybody else.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::extract::accept::{Offer, preferred};
use super::page::{policy_of, protected};
use super::routes::ROUTES;
use super::settings::Scope;
use super::state::Shared;

/// The page; it asks the same routes as everybody else.
const PAGE: &str = include_str!("index.html");

/// The content security policy of the page.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy_of(PAGE));

/// The forms of the answer, the index first.
const FORMS: [Offer; 2] = [
    Offer {
        media_type: "application/json",
        versions: &[],
    },
    Offer {
        media_type: "text/html",
        versions: &[],
    },
];

/// The index of the service.
#[derive(Serialize, ToSchema)]
pub(super) struct Index {
    /// The name of the service.
    #[schema(example = "quota-oracle")]
    name: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// All routes.
    routes: Vec<&'static str>,
}

/// The dashboard for a browser, a short index for others.
#[utoipa::path(get, path = "/", operation_id = "get_index", tag = "operation",
    responses((status = 200, content((Index = "application/json"), (String = "text/html")))))]
pub(super) async fn index(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wants_html = preferred(&headers, &FORMS) == 1;
    let vary = [(header::VARY, "accept")];
    if wants_html {
        let page = (vary, Html(PAGE)).into_response();
        return Ok(protected(page, POLICY.clone()));
    }
    // Nothing in the page is anybody's, and it asks for a token itself; the index has a version.
    shared
        .0
        .tokens
        .caller(&headers, &Method::GET)?
        .require(Scope::Read)?;
    let index = Json(Index {
        name: "quota-oracle",
        version: env!("CARGO_PKG_VERSION"),
        routes: ROUTES.to_vec(),
    });
    Ok((vary, index).into_response())
}
