//! The OpenAPI document, made from the routes themselves.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{InfoBuilder, License, OpenApi, OpenApiBuilder, SecurityRequirement};

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
