//! What every request goes through that `quotas/fast_path` does not answer: an id, a span, a token, a deadline,
//! and errors as problems.

mod problems;
pub(super) mod request_id;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::auth::Caller;
use super::error::{Kind, Problem};
use super::extract::deadline::Deadline;
use super::routes::{self, Route};
use super::settings::Scope;
use super::state::Shared;

use request_id::{AWS_REQUEST_ID, REQUEST_ID};

/// A handler answers by the deadline itself, with what it knows; this is for one that does not.
const GRACE: Duration = Duration::from_secs(1);

/// What keeps a handler past its deadline, such as a body that does not come, may be over soon.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Answers a request, whatever happens inside.
pub(super) async fn answer(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = request_id::choose(request.headers());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map(|matched| Route::find(matched.as_str()));
    let speaks_aws = matched.is_some_and(|route| routes::speaks_aws(route.as_str()));
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

    let mut response = problems::render(response, &path, speaks_aws).await;
    if speaks_aws {
        let headers = response.headers_mut();
        headers.insert(AWS_REQUEST_ID, id.clone());
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
