//! Whether a caller wants JSON or a table.

use axum::http::{HeaderMap, header};

use crate::http::error::Problem;

use super::query::Query;

/// What `format` may be, and whether it is a table.
pub(in crate::http) const FORMATS: [(&str, bool); 2] = [("json", false), ("table", true)];

/// Whether a request asks for a table: by `format=table`, or by accepting text and not JSON.
pub(in crate::http) fn wants_table(query: &Query, headers: &HeaderMap) -> Result<bool, Problem> {
    if let Some(table) = query.word("format", &FORMATS)? {
        return Ok(table);
    }
    Ok(accepts_text_only(headers))
}

/// Whether a caller accepts text and not JSON.
pub(in crate::http) fn accepts_text_only(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.contains("text/plain") && !accept.contains("json")
}
