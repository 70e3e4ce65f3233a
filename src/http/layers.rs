//! What every request goes through that `warm` does not answer: an id, a span, a token, a deadline,
//! and errors as problems.

use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::access::Caller;
use super::aws_protocol::{self, AwsError};
use super::problem::{self, Kind, Problem};
use super::routes::Route;
use super::{Scope, Shared};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A caller's own request id is taken up to this length.
const LONGEST_ID: usize = 128;

/// A handler answers by the deadline itself, with what it knows; this is for one that does not.
const GRACE: Duration = Duration::from_secs(1);

/// What keeps a handler past its deadline, such as a body that does not come, may be over soon.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The most that is read of a plain error's text.
const LONGEST_PLAIN_ERROR: usize = 4096;

/// When the request must be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Instant);

/// Answers a request, whatever happens inside.
pub(super) async fn answer(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map(|matched| Route::find(matched.as_str()));
    let speaks_aws = matched.is_some_and(|route| aws_protocol::is_spoken_at(route.as_str()));
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let text_id = id.to_str().unwrap_or_default();
    let span = tracing::info_span!("request", request_id = text_id, %method, path);

    let deadline = started + shared.0.request_timeout;
    let response = async {
        let caller = match admit(&shared, &request, route) {
            Ok(caller) => caller,
            Err(problem) => return problem.into_response(),
        };
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(Deadline(deadline));
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
        match timeout_at(deadline + GRACE, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => Problem::new(
                Kind::Internal,
                "the request could not be answered; the log has the panic under this request's id",
            )
            .into_response(),
            Err(_) => Problem {
                retry_after: Some(ASK_AGAIN_AFTER),
                ..Problem::new(Kind::Deadline, "the request could not be answered in time")
            }
            .into_response(),
        }
    }
    .instrument(span.clone())
    .await;

    let mut response = finish(response, &path, speaks_aws).await;
    if speaks_aws {
        let headers = response.headers_mut();
        headers.insert(aws_protocol::REQUEST_ID, id.clone());
    }
    response.headers_mut().insert(REQUEST_ID, id);
    let took = started.elapsed();
    let status = response.status();
    let _entered = span.enter();
    if status.is_server_error() {
        tracing::warn!(
            status = status.as_u16(),
            took_us = took.as_micros() as u64,
            "answered"
        );
    } else {
        tracing::debug!(
            status = status.as_u16(),
            took_us = took.as_micros() as u64,
            "answered"
        );
    }
    let route = route.flatten().map_or("unknown", |route| route.path);
    shared
        .0
        .oracle
        .metrics()
        .http_requests(route, status.as_u16())
        .answered(took);
    response
}

/// Lets the caller in, if the route is for them: one that the router has matched, and the table of
/// routes knows.
fn admit(
    shared: &Shared,
    request: &Request,
    route: Option<Option<&Route>>,
) -> Result<Caller, Problem> {
    let scope = match route {
        // What does not exist is told to whoever may read.
        None => Scope::Read,
        Some(None) => Scope::Admin,
        Some(Some(Route { scope: None, .. })) => return Ok(Caller::Anyone),
        Some(Some(Route {
            scope: Some(scope), ..
        })) => *scope,
    };
    let caller = shared
        .0
        .tokens
        .caller(request.headers(), request.method())?;
    caller.require(scope)?;
    Ok(caller)
}

/// The caller's id if it is a sane one, a new one otherwise.
pub(super) fn request_id(headers: &HeaderMap) -> HeaderValue {
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

/// Turns every error into a problem document that knows the request, or into AWS's words.
async fn finish(mut response: Response, path: &str, speaks_aws: bool) -> Response {
    let render = |problem: Problem| match speaks_aws {
        true => AwsError::from(problem).into_response(),
        false => problem.render(path),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let kind = problem.kind;
        let mut rendered = render(problem);
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
    let mut rendered = render(problem::of_plain(status, text));
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
