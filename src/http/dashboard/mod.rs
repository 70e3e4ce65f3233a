//! `GET /`: a page for a browser, a short index for everybody else; and the files of the page.
//!
//! The page has no build step and no framework: what stands in `page/` is what a browser loads. It
//! asks the same routes as everybody else.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::error::{Problem, unknown_route};
use super::extract::accept::{Offer, preferred};
use super::page::{policy_of_page, protected};
use super::quotas::conditional::etag_matches;
use super::routes::ROUTES;
use super::settings::Scope;
use super::state::Shared;

/// The page; its policy allows nothing that stands in it, only files of ours.
const PAGE: &str = include_str!("page/index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files of the page.
static FILES: [File; 9] = [
    File::new(
        "style.css",
        "text/css; charset=utf-8",
        include_str!("page/style.css"),
    ),
    File::new("app.js", SCRIPT, include_str!("page/app.js")),
    File::new("dom.js", SCRIPT, include_str!("page/dom.js")),
    File::new("offers.js", SCRIPT, include_str!("page/offers.js")),
    File::new("plan.js", SCRIPT, include_str!("page/plan.js")),
    File::new("quotas.js", SCRIPT, include_str!("page/quotas.js")),
    File::new("search.js", SCRIPT, include_str!("page/search.js")),
    File::new("service.js", SCRIPT, include_str!("page/service.js")),
    File::new("status.js", SCRIPT, include_str!("page/status.js")),
];

/// A file of the page.
struct File {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

impl File {
    const fn new(name: &'static str, media_type: &'static str, text: &'static str) -> Self {
        Self {
            name,
            media_type,
            text,
        }
    }

    /// Returns a tag that changes with the text; a weak one, as the file may be sent compressed.
    fn etag(&self) -> HeaderValue {
        let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(self.text)[..12]);
        HeaderValue::try_from(format!("W/\"{digest}\"")).expect("it is plain text")
    }
}

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

/// The page for a browser, a short index for others.
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
        return Ok(protected(page, policy_of_page()));
    }
    // Nothing in the page is anybody's, and it asks for a token itself; the index has a version.
    let caller = shared.0.tokens.caller(&headers, &Method::GET)?;
    caller.require(Scope::Read)?;
    let index = Json(Index {
        name: "quota-oracle",
        version: env!("CARGO_PKG_VERSION"),
        routes: ROUTES.to_vec(),
    });
    Ok((vary, index).into_response())
}

/// A file of the page.
pub(super) async fn file(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return unknown_route(uri).await.into_response();
    };
    let etag = file.etag();
    let mut response = match etag_matches(&headers, &etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, file.media_type)], file.text).into_response(),
    };
    response.headers_mut().insert(header::ETAG, etag);
    protected(response, policy_of_page())
}
