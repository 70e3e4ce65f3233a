//! The deadline of a request, enforced on handlers that overrun it.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout_at};

use crate::http::drain::Step;
use crate::http::error::{Kind, Problem};
use crate::http::extract::deadline::Deadline;
use crate::http::state::Shared;

/// A handler answers by the deadline itself, with what it knows; this is for one that does not.
const GRACE: Duration = Duration::from_secs(1);

/// The cause of an overrun, such as a body that does not come, may be over soon.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Tells handlers the deadline, and answers in place of one that overruns it.
pub(super) async fn enforce(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let deadline = Instant::now() + shared.0.request_timeout;
    request.extensions_mut().insert(Deadline(deadline));
    let answer = timeout_at(deadline + GRACE, next.run(request));
    let (kind, detail) = tokio::select! {
        answer = answer => match answer {
            Ok(answer) => return answer,
            Err(_) => (Kind::Deadline, "the request could not be answered in time"),
        },
        () = shared.0.drain.reached(Step::Refusing) => {
            (Kind::Stopping, "the service is stopping, and the answer is not there yet")
        }
    };
    let problem = Problem::new(kind, detail);
    problem.retry_after(RETRY_AFTER).into_response()
}
