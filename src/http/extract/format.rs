//! Whether a caller wants JSON or a table.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accept::{Offer, preferred};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON, for programs.
    Json,
    /// A table in plain text, for people.
    Table,
}

/// The query of a route that answers in either form.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::http) struct FormatQuery {
    /// `json` or `table`; also by `Accept: text/plain`.
    #[param(inline)]
    pub(in crate::http) format: Option<Format>,
}

/// Whether a request wants a table: by `format=table`, or by preferring text to JSON.
pub(in crate::http) fn wants_table(format: Option<Format>, headers: &HeaderMap) -> bool {
    match format {
        Some(format) => format == Format::Table,
        None => prefers_text(headers),
    }
}

/// The forms of an answer, JSON first.
const FORMS: [Offer; 2] = [
    Offer {
        media_type: "application/json",
        versions: &[],
    },
    Offer {
        media_type: "text/plain",
        versions: &[],
    },
];

/// Whether a caller would rather have text than JSON.
pub(in crate::http) fn prefers_text(headers: &HeaderMap) -> bool {
    preferred(headers, &FORMS) == 1
}
