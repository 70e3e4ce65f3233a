//! The OpenAPI document, made from the routes themselves.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Content, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
    SecurityRequirement, Server,
};

/// Adds to each operation how a request without the right token is refused.
pub(super) fn add_refusals(document: &mut OpenApi) {
    for responses in responses(document) {
        for (status, when) in REFUSALS {
            let entry = responses.entry(status.to_owned());
            entry.or_insert_with(|| problem(when).into());
        }
    }
}

/// Completes what the handlers' own documentation leaves out of their responses.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    for responses in responses(&mut document) {
        for (status, response) in responses {
            if let RefOr::T(response) = response {
                name_problems(response);
                // OpenAPI wants one of each.
                if response.description.is_empty() {
                    response.description = in_words(status);
                }
            }
        }
    }
    document
}

fn responses(
    document: &mut OpenApi,
) -> impl Iterator<Item = &mut BTreeMap<String, RefOr<Response>>> {
    let paths = document.paths.paths.values_mut();
    let operations = paths.flat_map(|item| [&mut item.get, &mut item.post].into_iter().flatten());
    operations.map(|operation| &mut operation.responses.responses)
}

/// Refusals of any route that needs a token.
const REFUSALS: [(&str, &str); 3] = [
    ("401", "There is no token, or it is not known"),
    ("403", "The token does not allow it"),
    ("default", "Any other failure"),
];

fn in_words(status: &str) -> String {
    let status: Option<StatusCode> = status.parse().ok();
    let words = status.and_then(|status| status.canonical_reason());
    words.unwrap_or_default().to_owned()
}

fn problem(when: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(when)
        .content("application/json", Content::new(Some(schema)))
        .build()
}

/// utoipa takes each body for JSON of the plain kind.
fn name_problems(response: &mut Response) {
    let json = response.content.get("application/json");
    let is_problem = json.is_some_and(|content| match content {
        RefOr::T(Content {
            schema: Some(RefOr::Ref(schema)),
            ..
        }) => schema.ref_location.ends_with("/Problem"),
        _ => false,
    });
    if is_problem && let Some(content) = response.content.swap_remove("application/json") {
        let name = "application/problem+json".to_owned();
        response.content.insert(name, content);
    }
}

/// Everything in the document but the routes.
pub(super) fn base() -> OpenApi {
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    let info = InfoBuilder::new()
        .title("quota-oracle")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(env!("CARGO_PKG_DESCRIPTION")))
        .license(Some(license))
        .build();
    let mut document = OpenApiBuilder::new()
        .info(info)
        // Where the document is, also where a proxy serves it below a path.
        .servers(Some([Server::new(".")]))
        // A token is needed only where tokens are configured.
        .security(Some([
            SecurityRequirement::default(),
            SecurityRequirement::new("token", Vec::<String>::new()),
        ]))
        .build();
    document
        .components
        .get_or_insert_with(Default::default)
        .add_security_scheme(
            "token",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
    document
}
