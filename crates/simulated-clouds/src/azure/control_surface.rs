//! The subscription's contents over HTTP, for tests in other languages and for people with curl.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::steering::{parsed, refuse, traffic_routes};

use super::controls::Controls;
use super::{Reason, Restriction, Subscription};

/// All routes below `/_sim`.
pub(super) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/quotas", get(quotas))
        .route("/limit", post(limit))
        .route("/usage", post(usage))
        .route("/restriction", post(restriction))
        .merge(traffic_routes())
        .with_state(controls)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    location: String,
}

/// The new number of a quota of the compute provider; a limit that is null takes the row away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    location: String,
    name: String,
    value: Option<i64>,
}

/// A restriction of a size, or its end where no reason is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRestriction {
    location: String,
    size: String,
    reason: Option<ReasonCode>,
    #[serde(default)]
    zones: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
enum ReasonCode {
    QuotaId,
    NotAvailableForSubscription,
}

/// The quotas of a location, each with its limit and usage.
async fn quotas(State(controls): State<Controls>, Query(which): Query<Which>) -> Response {
    let state = controls.state();
    let Some(location) = state.subscription.locations.get(&which.location) else {
        return no_location(&which.location);
    };
    let rows = location.usages.iter();
    let rows: serde_json::Map<String, Value> = rows
        .map(|(name, row)| (name.clone(), json!([row.limit, row.usage])))
        .collect();
    Json(json!({ "quotas": rows })).into_response()
}

async fn limit(State(controls): State<Controls>, body: Bytes) -> Response {
    let change: Change = match parsed(&body) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    edit(&controls, &change.location, |subscription| {
        subscription.set_limit(&change.location, &change.name, change.value);
    })
}

async fn usage(State(controls): State<Controls>, body: Bytes) -> Response {
    let change: Change = match parsed(&body) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    let Some(value) = change.value.and_then(|value| i32::try_from(value).ok()) else {
        let sentence = "a usage is a whole number of 32 bits".to_owned();
        return refuse(StatusCode::BAD_REQUEST, sentence);
    };
    edit(&controls, &change.location, |subscription| {
        subscription.set_usage(&change.location, &change.name, value);
    })
}

async fn restriction(State(controls): State<Controls>, body: Bytes) -> Response {
    let change: NewRestriction = match parsed(&body) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    edit(&controls, &change.location, |subscription| {
        let location = subscription.locations.get_mut(&change.location);
        let Some(location) = location else { return };
        let restriction = change.reason.map(|reason| Restriction {
            zones: change.zones.clone(),
            reason: match reason {
                ReasonCode::QuotaId => Reason::QuotaId,
                ReasonCode::NotAvailableForSubscription => Reason::NotAvailableForSubscription,
            },
        });
        match restriction {
            Some(restriction) => {
                let size = change.size.clone();
                location.restrictions.insert(size, restriction);
            }
            None => {
                location.restrictions.remove(&change.size);
            }
        }
    })
}

fn edit(controls: &Controls, location: &str, change: impl FnOnce(&mut Subscription)) -> Response {
    if !controls
        .state()
        .subscription
        .locations
        .contains_key(location)
    {
        return no_location(location);
    }
    controls.edit(change);
    StatusCode::NO_CONTENT.into_response()
}

fn no_location(name: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, format!("no location {name}"))
}
