//! Errors on their way out: rendered here, where the request is known.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use headers::{ContentType, HeaderMapExt};
use mime::Mime;

use crate::http::auth::KnownCaller;
use crate::http::aws_protocol::error::AwsError;
use crate::http::error::{Kind, Problem};
use crate::http::routes;

use super::request_id::REQUEST_ID;

/// The most that is read of a plain error's text.
const LONGEST_PLAIN_ERROR: usize = 4096;

/// The header in which AWS tells the request's id.
const AWS_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The header in which an AWS client names the operation.
const AWS_TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Turns every error into a problem document that knows the request, or into one of AWS's.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let is_aws_route = matched.is_some_and(|route| routes::speaks_aws(route.as_str()));
    let speaks_aws = is_aws_route || is_of_an_aws_client(&request);
    let path = request.uri().path().to_owned();
    let id = request.headers().get(REQUEST_ID).cloned();
    let answer = next.run(request).await;
    let mut response = match answer.status().is_client_error() && speaks_aws && !is_aws_route {
        true => AwsError::wrong_path(&path).into_response(),
        false => rendered(answer, &path, is_aws_route).await,
    };
    if let Some(id) = id.filter(|_| speaks_aws) {
        response.headers_mut().insert(AWS_REQUEST_ID, id);
    }
    response
}

/// Whether a request is a call of Service Quotas, wherever it has arrived: no other route reads
/// this header. Clients show nothing of an error that is not one of AWS's.
fn is_of_an_aws_client(request: &Request) -> bool {
    let target = request.headers().get(AWS_TARGET);
    let target = target.map_or("", |target| target.to_str().unwrap_or_default());
    request.method() == Method::POST && target.starts_with("ServiceQuotas")
}

async fn rendered(mut response: Response, path: &str, speaks_aws: bool) -> Response {
    let render = |problem: Problem| match speaks_aws {
        true => AwsError::from(problem).into_response(),
        false => problem.render(path),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let kind = problem.kind;
        let mut rendered = render(problem);
        carry_over(&response, &mut rendered);
        if kind == Kind::Unauthenticated {
            // None that makes a browser ask for a password: the page has a login of its own.
            rendered.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"quota-oracle\""),
            );
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
    let mut rendered = render(Problem::from_plain(status, text));
    carry_over(&Response::from_parts(head, Body::empty()), &mut rendered);
    rendered
}

/// Whether an error already has a body that its reader understands: a problem document, or the
/// error of a protocol that is not ours.
fn has_a_document(response: &Response) -> bool {
    let media_type = response.headers().typed_get::<ContentType>();
    // AWS's own is `application/x-amz-json-1.1`.
    media_type.is_some_and(|media_type| Mime::from(media_type).essence_str().contains("json"))
}

/// Keeps what the framework said in headers, such as the methods that are allowed, and whether the
/// caller is known.
fn carry_over(from: &Response, to: &mut Response) {
    if let Some(known) = from.extensions().get::<KnownCaller>() {
        to.extensions_mut().insert(*known);
    }
    if let Some(allow) = from.headers().get(header::ALLOW) {
        to.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if from.status() == StatusCode::METHOD_NOT_ALLOWED {
        *to.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
}
