//! The controls over HTTP, for other processes and for people with curl; see the module above.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequest, Json, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::call_log::Filter;
use super::catalogue;
use super::controls::{Controls, NoSuchQuota};
use super::faults::Fault;
use super::settings::Latency;

/// All routes below `/_sim`.
pub(super) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/calls", get(calls).delete(reset))
        .route("/log", get(log))
        .route("/accounts", get(accounts))
        .route("/quotas", get(quotas))
        .route("/limit", post(limit))
        .route("/usage", post(usage))
        .route("/error_reason", post(error_reason))
        .route("/launch", post(launch))
        .route("/terminate", post(terminate))
        .route("/fault", post(add_fault))
        .route("/faults", get(faults).delete(clear_faults))
        .route("/latency", post(latency))
        .with_state(controls)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    account: Option<String>,
    region: Option<String>,
    operation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    account: Option<String>,
    region: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change<V> {
    account: Option<String>,
    region: String,
    code: String,
    value: V,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    last: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delays {
    fixed_ms: u64,
    #[serde(default)]
    jitter_ms: u64,
}

/// A body as JSON whatever its content type says, because curl's default says form.
struct AnyJson<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for AnyJson<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Json::from_bytes(&body)
            .map(|Json(value)| Self(value))
            .map_err(|error| refuse(StatusCode::BAD_REQUEST, error.body_text()))
    }
}

async fn calls(State(controls): State<Controls>, Query(which): Query<Which>) -> Json<Value> {
    let filter = Filter::new(which.account, which.region, which.operation);
    let by_key: Vec<Value> = controls
        .state()
        .call_log
        .matching(&filter)
        .map(|(key, counters)| {
            json!({
                "account": key.account,
                "region": key.region,
                "operation": key.operation,
                "calls": counters.calls,
                "throttled": counters.throttled,
                "max_concurrency": counters.most_in_flight,
            })
        })
        .collect();
    Json(json!({
        "calls": controls.calls(&filter),
        "throttled": controls.throttled(&filter),
        "max_concurrency": controls.max_concurrency(),
        "by_operation": by_key,
    }))
}

async fn reset(State(controls): State<Controls>) -> StatusCode {
    controls.reset_counters();
    StatusCode::NO_CONTENT
}

async fn log(State(controls): State<Controls>, Query(last): Query<Last>) -> Json<Value> {
    let now = Instant::now();
    let state = controls.state();
    let log = state.call_log.log();
    let skipped = log.len().saturating_sub(last.last.unwrap_or(100));
    let shown: Vec<Value> = log
        .skip(skipped)
        .map(|call| {
            json!({
                "seconds_ago": now.duration_since(call.at).as_secs_f64(),
                "account": call.key.account,
                "region": call.key.region,
                "operation": call.key.operation,
                "outcome": call.outcome,
            })
        })
        .collect();
    Json(json!({ "log": shown }))
}

async fn accounts(State(controls): State<Controls>) -> Json<Value> {
    let state = controls.state();
    let shown: Vec<Value> = state
        .accounts
        .list
        .iter()
        .map(|account| {
            let roles = account.roles.iter();
            json!({
                "account": account.id,
                "access_key_id": account.access_key_id,
                "roles": roles.map(|role| account.role_arn(&role.name)).collect::<Vec<_>>(),
                "regions": account.regions,
            })
        })
        .collect();
    Json(json!({ "accounts": shown }))
}

async fn quotas(State(controls): State<Controls>, Query(place): Query<Place>) -> Response {
    let account = or_first(&controls, place.account);
    let state = controls.state();
    if !state.accounts.is_enabled(&account, &place.region) {
        let sentence = format!("no region {} in account {account}", place.region);
        return refuse(StatusCode::NOT_FOUND, sentence);
    }
    let shown: Vec<Value> = catalogue::all()
        .iter()
        .filter(|quota| quota.metered)
        .map(|quota| {
            let found = state.accounts.quota(&account, &place.region, quota);
            json!({
                "code": quota.code,
                "name": quota.name,
                "service": quota.service,
                "limit": found.applied,
                "usage": found.usage,
                "error_reason": found.error_reason,
            })
        })
        .collect();
    Json(json!({ "quotas": shown })).into_response()
}

async fn limit(
    State(controls): State<Controls>,
    AnyJson(change): AnyJson<Change<Option<f64>>>,
) -> Response {
    let account = or_first(&controls, change.account);
    let (region, code) = (&change.region, &change.code);
    done(match change.value {
        Some(value) => controls.set_limit(&account, region, code, value),
        None => controls.remove_applied(&account, region, code),
    })
}

async fn usage(
    State(controls): State<Controls>,
    AnyJson(change): AnyJson<Change<f64>>,
) -> Response {
    let account = or_first(&controls, change.account);
    done(controls.set_usage(&account, &change.region, &change.code, change.value))
}

async fn error_reason(
    State(controls): State<Controls>,
    AnyJson(change): AnyJson<Change<Option<String>>>,
) -> Response {
    let account = or_first(&controls, change.account);
    let error_code = change.value.as_deref();
    done(controls.set_error_reason(&account, &change.region, &change.code, error_code))
}

async fn launch(
    State(controls): State<Controls>,
    AnyJson(change): AnyJson<Change<f64>>,
) -> Response {
    let account = or_first(&controls, change.account);
    match controls.launch(&account, &change.region, &change.code, change.value) {
        Ok(Err(refused)) => {
            let body = json!({"code": refused.code, "message": refused.message});
            (StatusCode::CONFLICT, Json(body)).into_response()
        }
        Ok(Ok(())) => done(Ok(())),
        Err(unknown) => done(Err(unknown)),
    }
}

async fn terminate(
    State(controls): State<Controls>,
    AnyJson(change): AnyJson<Change<f64>>,
) -> Response {
    let account = or_first(&controls, change.account);
    done(controls.terminate(&account, &change.region, &change.code, change.value))
}

async fn add_fault(State(controls): State<Controls>, AnyJson(fault): AnyJson<Fault>) -> StatusCode {
    controls.inject(fault);
    StatusCode::NO_CONTENT
}

async fn faults(State(controls): State<Controls>) -> Json<Value> {
    Json(json!({ "faults": controls.faults() }))
}

async fn clear_faults(State(controls): State<Controls>) -> StatusCode {
    controls.clear_faults();
    StatusCode::NO_CONTENT
}

async fn latency(State(controls): State<Controls>, AnyJson(delays): AnyJson<Delays>) -> StatusCode {
    controls.set_latency(Latency {
        fixed: Duration::from_millis(delays.fixed_ms),
        jitter: Duration::from_millis(delays.jitter_ms),
    });
    StatusCode::NO_CONTENT
}

fn or_first(controls: &Controls, account: Option<String>) -> String {
    account.unwrap_or_else(|| {
        let state = controls.state();
        let first = state.accounts.list.first();
        first.map_or_else(String::new, |account| account.id.clone())
    })
}

fn done(changed: Result<(), NoSuchQuota>) -> Response {
    match changed {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(unknown) => refuse(StatusCode::NOT_FOUND, unknown.to_string()),
    }
}

fn refuse(status: StatusCode, error: String) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
