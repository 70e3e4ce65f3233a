//! Whether a caller wants JSON or a table.

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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

/// Whether a request wants a table: by `format=table`, or by accepting text and not JSON.
pub(in crate::http) fn wants_table(format: Option<Format>, headers: &HeaderMap) -> bool {
    match format {
        Some(format) => format == Format::Table,
        None => accepts_text_only(headers),
    }
}

/// Whether a caller accepts text and not JSON.
pub(in crate::http) fn accepts_text_only(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.contains("text/plain") && !accept.contains("json")
}
