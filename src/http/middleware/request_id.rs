//! The id under which a request is found in the log.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};
use tower_http::request_id::{MakeRequestId, RequestId};

/// The header that carries the id, in requests and in answers.
pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a caller: twice as long as those of common proxies.
const LONGEST_ID: usize = 128;

/// Makes a random id for a request that has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct RandomId;

impl MakeRequestId for RandomId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        Some(RequestId::new(random()))
    }
}

/// Discards an id that is empty, too long or not plain text, so that a new one takes its place.
pub(super) fn discard_unusable<B>(mut request: Request<B>) -> Request<B> {
    let id = request.headers().get(REQUEST_ID);
    if id.is_some_and(|id| !is_usable(id)) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// Returns the caller's id if it is usable, and a new one otherwise.
pub(in crate::http) fn choose(headers: &HeaderMap) -> HeaderValue {
    let id = headers.get(REQUEST_ID).filter(|id| is_usable(id));
    id.cloned().unwrap_or_else(random)
}

fn is_usable(id: &HeaderValue) -> bool {
    let text = id.as_bytes();
    (1..=LONGEST_ID).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
}

fn random() -> HeaderValue {
    let text = hex::encode(rand::random::<[u8; 16]>());
    HeaderValue::try_from(text).expect("hexadecimal digits are a header value")
}
