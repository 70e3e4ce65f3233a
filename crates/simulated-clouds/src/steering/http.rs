//! The controls over HTTP, for tests in other languages and for people with curl: faults and call
//! counts are the same in all clouds.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Controls, Rule, Simulation};

/// The routes for faults and call counts, to be nested below `/_sim` with the cloud's own.
pub(crate) fn traffic_routes<S>() -> Router<Controls<S>>
where
    S: Simulation,
    S::Method: DeserializeOwned + Serialize,
    S::Fault: DeserializeOwned,
{
    Router::new()
        .route("/fault", post(fault::<S>))
        .route("/faults", delete(clear_faults::<S>))
        .route("/calls", get(calls::<S>).delete(reset_calls::<S>))
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    bound = "F: DeserializeOwned, M: DeserializeOwned"
)]
struct NewFault<M, F> {
    fault: F,
    method: Option<M>,
    name: Option<String>,
    times: Option<u32>,
}

async fn fault<S>(State(controls): State<Controls<S>>, body: Bytes) -> Response
where
    S: Simulation,
    S::Method: DeserializeOwned,
    S::Fault: DeserializeOwned,
{
    let wanted: NewFault<S::Method, S::Fault> = match parsed(&body) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let mut rule = Rule::new(wanted.fault);
    if let Some(method) = wanted.method {
        rule = rule.on(method);
    }
    if let Some(name) = wanted.name {
        rule = rule.of(&name);
    }
    if let Some(times) = wanted.times {
        rule = rule.times(times);
    }
    controls.inject(rule);
    StatusCode::NO_CONTENT.into_response()
}

async fn clear_faults<S: Simulation>(State(controls): State<Controls<S>>) -> StatusCode {
    controls.clear_faults();
    StatusCode::NO_CONTENT
}

async fn calls<S>(State(controls): State<Controls<S>>) -> Json<Value>
where
    S: Simulation,
    S::Method: Serialize,
{
    let mut state = controls.state();
    let traffic = state.traffic();
    Json(json!({"calls": traffic.counts(), "throttled": traffic.throttled()}))
}

async fn reset_calls<S: Simulation>(State(controls): State<Controls<S>>) -> StatusCode {
    controls.reset_calls();
    StatusCode::NO_CONTENT
}

/// The body is JSON whatever its content type says, because curl's default says form.
pub(crate) fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let parsed = serde_json::from_slice(body);
    parsed.map_err(|error| Box::new(refuse(StatusCode::BAD_REQUEST, error.to_string())))
}

pub(crate) fn refuse(status: StatusCode, error: String) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
