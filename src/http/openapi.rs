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

/// Adds to each operation that needs no token how a request is refused.
pub(super) fn add_open_refusals(document: &mut OpenApi) {
    for responses in responses(document) {
        // Callers of the AWS protocol are refused in its own words.
        let words = responses.get("400").cloned();
        for (status, when) in OPEN_REFUSALS {
            let refusal = words.clone().unwrap_or_else(|| problem(when).into());
            responses.entry(status.to_owned()).or_insert(refusal);
        }
    }
}

/// Completes what the handlers' own documentation leaves out.
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
    let operations = paths.flat_map(|item| {
        let methods = [&mut item.get, &mut item.post, &mut item.delete];
        methods.into_iter().flatten()
    });
    operations.map(|operation| &mut operation.responses.responses)
}

/// Refusals of any route that needs a token.
const REFUSALS: [(&str, &str); 3] = [
    ("401", "There is no token, or it is not known"),
    ("403", "The token does not allow it"),
    ("default", "Any other failure"),
];

/// Refusals of any route that needs none.
const OPEN_REFUSALS: [(&str, &str); 3] = [
    ("400", "The request cannot be understood"),
    ("403", "It names another host, or comes from another site"),
    ("default", "Any other failure"),
];

fn in_words(status: &str) -> String {
    if status == "default" {
        return "Any other failure".to_owned();
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use crate::http::openapi_document;

    fn document() -> Value {
        serde_json::to_value(openapi_document()).unwrap()
    }

    #[test]
    fn each_operation_has_a_name_of_its_own() {
        let document = document();
        let paths = document["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|path| path.as_object().unwrap().values());
        let mut names = BTreeSet::new();
        for operation in operations {
            let name = operation["operationId"].as_str().unwrap();
            assert!(name.contains('_'), "{name}");
            assert!(names.insert(name), "{name} stands twice");
        }
    }

    /// Unsigned integers of 32 bits do not fit into signed ones.
    #[test]
    fn no_integer_is_narrower_than_what_is_taken() {
        fn narrow(value: &Value) -> usize {
            let is_narrow = value["format"] == "int32" && value.get("maximum").is_none();
            let inside: usize = match value {
                Value::Object(members) => members.values().map(narrow).sum(),
                Value::Array(elements) => elements.iter().map(narrow).sum(),
                _ => 0,
            };
            usize::from(is_narrow) + inside
        }
        assert_eq!(narrow(&document()), 0);
    }

    #[test]
    fn each_field_has_a_description_and_an_example_or_words() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut lacking = Vec::new();
        for (schema, body) in schemas {
            // Flattened bodies stand beside the own members.
            let parts = body["allOf"]
                .as_array()
                .map_or_else(|| vec![body], |all| all.iter().collect());
            let members = parts
                .iter()
                .filter_map(|part| part["properties"].as_object());
            for (name, field) in members.flatten() {
                let is_made_of_others = ["$ref", "oneOf", "allOf", "items", "enum"]
                    .iter()
                    .any(|key| field.get(key).is_some());
                let is_boolean = field["type"].to_string().contains("boolean");
                let has_example = ["example", "examples"]
                    .iter()
                    .any(|key| field.get(key).is_some());
                let has_example = is_made_of_others || is_boolean || has_example;
                // Where a field may be null, it stands beside the reference.
                let has_description = field.to_string().contains("\"description\":");
                if !has_example || !has_description {
                    lacking.push(format!("{schema}.{name}"));
                }
                let is_time = name == "at" || name == "as_of" || name.ends_with("_at");
                if is_time && field["format"] != "date-time" {
                    lacking.push(format!("{schema}.{name} as a time"));
                }
            }
        }
        assert_eq!(lacking, Vec::<String>::new());
    }
}
