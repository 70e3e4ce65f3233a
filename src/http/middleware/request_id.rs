//! The id under which a request is found in the log.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header in which AWS tells the request's id.
pub(super) const AWS_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A caller's own request id is taken up to this length.
const LONGEST_ID: usize = 128;

/// The caller's id if it is a sane one, a new one otherwise.
pub(in crate::http) fn choose(headers: &HeaderMap) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        let text = value.as_bytes();
        (1..=LONGEST_ID).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
    };
    match headers.get(REQUEST_ID).filter(sane) {
        Some(id) => id.clone(),
        None => {
            let mut text = String::with_capacity(32);
            write!(text, "{:032x}", rand::random::<u128>())
                .expect("writing to a string does not fail");
            HeaderValue::try_from(text).expect("hexadecimal digits are a header value")
        }
    }
}
