//! Errors on their way out: rendered here, where the request is known.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::aws_protocol::error::AwsError;
use crate::http::error::{self, Kind, Problem};

/// The most that is read of a plain error's text.
const LONGEST_PLAIN_ERROR: usize = 4096;

/// Turns every error into a problem document that knows the request, or into AWS's words.
pub(super) async fn render(mut response: Response, path: &str, speaks_aws: bool) -> Response {
    let rendered_as = |problem: Problem| match speaks_aws {
        true => AwsError::from(problem).into_response(),
        false => problem.render(path),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let kind = problem.kind;
        let mut rendered = rendered_as(problem);
        carry_over(&response, &mut rendered);
        if kind == Kind::Unauthenticated {
            // The second challenge makes a browser ask for the token as a password.
            for challenge in [
                "Bearer realm=\"quota-oracle\"",
                "Basic realm=\"quota-oracle\"",
            ] {
                rendered.headers_mut().append(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static(challenge),
                );
            }
        }
        return rendered;
    }
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || has_a_document(&response) {
        return response;
    }
    // A rejection of the framework's own, in plain text.
    let (head, body) = response.into_parts();
    let text = axum::body::to_bytes(body, LONGEST_PLAIN_ERROR)
        .await
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let mut rendered = rendered_as(error::of_plain(status, text));
    carry_over(&Response::from_parts(head, Body::empty()), &mut rendered);
    rendered
}

/// Whether an error already has a body that its reader understands: a problem document, or the
/// error of a protocol that is not ours.
fn has_a_document(response: &Response) -> bool {
    let json = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|media_type| media_type.contains("json"))
    };
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(json)
}

/// Keeps what the framework said in headers, such as the methods that are allowed.
fn carry_over(from: &Response, to: &mut Response) {
    if let Some(allow) = from.headers().get(header::ALLOW) {
        to.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if from.status() == StatusCode::METHOD_NOT_ALLOWED {
        *to.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
}
