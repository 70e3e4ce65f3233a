//! Query parameters that take one of a few words, as the OpenAPI document has them.

use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::model::Availability;
use crate::oracle::Sort;

use super::format::FORMATS;

/// Declares parameters that take one of a few words, which are known elsewhere.
macro_rules! word_parameters {
    ($($(#[$doc:meta])* $name:ident = $words:expr;)+) => {$(
        $(#[$doc])*
        pub(in crate::http) struct $name;

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
