//! Bodies in the media type of the protocol.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// The media type of the protocol in both directions.
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

pub(super) fn json(body: &Value) -> Response {
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    ([(header::CONTENT_TYPE, media_type)], body.to_string()).into_response()
}
