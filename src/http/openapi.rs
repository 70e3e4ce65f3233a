//! The OpenAPI document, made from the routes themselves.

use axum::http::StatusCode;
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Content, InfoBuilder, License, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

use crate::model::Availability;
use crate::oracle::Sort;

use super::routes::Route;
use super::table::FORMATS;

/// The OpenAPI 3.1 document of the service.
pub fn document() -> OpenApi {
    complete(super::table_of_contents().into_openapi())
}

/// The document with what the routes have in common: how they refuse, and as what.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let needs_token = Route::find(path).is_some_and(|route| route.scope.is_some());
        let operations = [&mut item.get, &mut item.post].into_iter().flatten();
        for responses in operations.map(|operation| &mut operation.responses.responses) {
            for (status, when) in needs_token.then_some(REFUSALS).into_iter().flatten() {
                responses
                    .entry(status.to_owned())
                    .or_insert_with(|| problem(when).into());
            }
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
    }
    document
}

/// What any route may answer that a token opens.
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
pub(super) fn placeholder_quotas() -> OpenApi {
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

/// Declares parameters that take one of a few words, which are known elsewhere.
macro_rules! word_parameters {
    ($($(#[$doc:meta])* $name:ident = $words:expr;)+) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = ObjectBuilder::new().schema_type(Type::String);
                words.enum_values(Some($words)).into()
            }
        }
    )+};
}

word_parameters! {
    /// The parameter `sort`.
    SortWord = Sort::ALL.map(Sort::as_str);
    /// The parameter `availability`.
    AvailabilityWord = Availability::ALL.map(Availability::as_str);
    /// The parameter `format`.
    FormatWord = FORMATS.map(|(word, _)| word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_token_says_how_it_is_refused_and_all_refuse_alike() {
        let document = serde_json::to_value(document()).unwrap();
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
