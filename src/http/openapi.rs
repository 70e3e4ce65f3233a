//! The OpenAPI document, made from the routes themselves.

use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    InfoBuilder, License, ObjectBuilder, OpenApi, OpenApiBuilder, RefOr, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

use crate::model::Availability;
use crate::oracle::Sort;

use super::table::FORMATS;

/// The OpenAPI 3.1 document of the service.
pub fn document() -> OpenApi {
    super::table_of_contents().into_openapi()
}

/// Everything in the document but the routes.
pub(super) fn outline() -> OpenApi {
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
