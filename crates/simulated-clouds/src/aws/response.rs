//! Responses as bytes: JSON 1.1 for Service Quotas, the query protocol's XML for STS.

use std::time::Duration;

use axum::body::Body;
use axum::http::{self, HeaderValue, header};
use serde_json::{Value, json};

use super::error::ApiError;
use super::request::Protocol;

const JSON: &str = "application/x-amz-json-1.1";
const XML: &str = "text/xml";
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A whole response, ready for the socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) error_code: Option<&'static str>,
    pub(super) retry_after: Option<Duration>,
    pub(super) request_id: String,
    pub(super) body: String,
}

impl Response {
    /// A JSON result.
    pub(super) fn json(result: &Value) -> Self {
        Self::ok(JSON, new_request_id(), result.to_string())
    }

    /// The inside of a query protocol result, which is wrapped as that protocol does.
    pub(super) fn xml(action: &str, result: &str) -> Self {
        let request_id = new_request_id();
        let body = format!(
            "<{action}Response xmlns=\"{STS_NAMESPACE}\"><{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
             </{action}Response>"
        );
        Self::ok(XML, request_id, body)
    }

    /// A success that says whatever it is told, for malformed answers.
    pub(super) fn garbled(content_type: &'static str, body: &str) -> Self {
        Self::ok(content_type, new_request_id(), body.to_owned())
    }

    /// An error in the words and form of the protocol.
    pub(super) fn error(error: ApiError, protocol: Protocol) -> Self {
        let request_id = new_request_id();
        let (content_type, error, body) = match protocol {
            Protocol::Json => {
                let message = if error.is_modelled() {
                    "Message"
                } else {
                    "message"
                };
                let body = json!({"__type": error.code, message: error.message}).to_string();
                (JSON, error, body)
            }
            Protocol::Query => {
                let error = error.in_query_words();
                let side = if error.status < 500 {
                    "Sender"
                } else {
                    "Receiver"
                };
                let body = format!(
                    "<ErrorResponse xmlns=\"{STS_NAMESPACE}\"><Error><Type>{side}</Type>\
                     <Code>{}</Code><Message>{}</Message></Error>\
                     <RequestId>{request_id}</RequestId></ErrorResponse>",
                    error.code,
                    escape_xml(&error.message),
                );
                (XML, error, body)
            }
        };
        Self {
            status: error.status,
            content_type,
            error_code: Some(error.code),
            retry_after: error.retry_after,
            request_id,
            body,
        }
    }

    fn ok(content_type: &'static str, request_id: String, body: String) -> Self {
        Self {
            status: 200,
            content_type,
            error_code: None,
            retry_after: None,
            request_id,
            body,
        }
    }

    pub(super) fn into_response(self) -> http::Response<Body> {
        let mut response = http::Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, self.content_type)
            .header("x-amzn-RequestId", self.request_id)
            .body(Body::from(self.body))
            .expect("status, header names and values are all our own and legal");
        if let Some(code) = self.error_code {
            response
                .headers_mut()
                .insert("x-amzn-ErrorType", HeaderValue::from_static(code));
        }
        if let Some(wait) = self.retry_after {
            let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            response
                .headers_mut()
                .insert("x-amz-retry-after", milliseconds.into());
        }
        response
    }
}

/// Text as the content of an XML element.
pub(super) fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Random, in the form of a UUID.
pub(super) fn new_request_id() -> String {
    let digits = format!("{:032x}", rand::random::<u128>());
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}
