//! The account's contents over HTTP, for tests in other languages and for people with curl; see
//! the module of the controls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::steering::{parsed, refuse, traffic_routes};

use super::{Controls, QuotaRow};

/// All routes below `/_sim`.
pub(super) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/quotas", get(quotas))
        .route("/limit", post(limit))
        .route("/usage", post(usage))
        .merge(traffic_routes())
        .with_state(controls)
}

/// Rows of one parent, the first tenant unless another is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    parent: Option<String>,
    region: Option<String>,
}

/// The new content of one row, of the first tenant unless another parent is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change<V> {
    parent: Option<String>,
    region: String,
    name: String,
    value: V,
}

async fn quotas(State(controls): State<Controls>, Query(which): Query<Which>) -> Json<Value> {
    let parent = or_first_tenant(&controls, which.parent);
    let state = controls.state();
    let rows = state.account.quotas.iter().filter(|row| {
        row.listed_by == parent && which.region.as_ref().is_none_or(|only| *only == row.region)
    });
    let shown: Vec<Value> = rows
        .map(|row| {
            json!({
                "parent": row.parent,
                "region": row.region,
                "name": row.name,
                "limit": row.limit,
                "usage": row.usage,
            })
        })
        .collect();
    Json(json!({ "quotas": shown }))
}

/// Without a value the row inherits its limit.
async fn limit(State(controls): State<Controls>, body: Bytes) -> Response {
    change(&controls, &body, |row, value: Option<u64>| {
        row.limit = value
    })
}

async fn usage(State(controls): State<Controls>, body: Bytes) -> Response {
    change(&controls, &body, |row, value| {
        *row = row.clone().used(value)
    })
}

fn change<V: DeserializeOwned>(
    controls: &Controls,
    body: &Bytes,
    change: impl FnOnce(&mut QuotaRow, V),
) -> Response {
    let Change {
        parent,
        region,
        name,
        value,
    } = match parsed::<Change<V>>(body) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let parent = or_first_tenant(controls, parent);
    let mut state = controls.state();
    let row = state
        .account
        .quotas
        .iter_mut()
        .find(|row| row.listed_by == parent && row.region == region && row.name == name);
    match row {
        Some(row) => {
            change(row, value);
            StatusCode::NO_CONTENT.into_response()
        }
        None => {
            let sentence = format!("no quota {name} in region {region} of {parent}");
            refuse(StatusCode::NOT_FOUND, sentence)
        }
    }
}

fn or_first_tenant(controls: &Controls, parent: Option<String>) -> String {
    parent.unwrap_or_else(|| {
        let state = controls.state();
        state.account.tenants.first().cloned().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nebius::{Settings, SimulatedNebius};

    const H100: &str = "compute.instance.gpu.h100";

    async fn start() -> SimulatedNebius {
        SimulatedNebius::start(Settings::default()).await.unwrap()
    }

    async fn post(nebius: &SimulatedNebius, path: &str, body: Value) -> u16 {
        let url = format!("{}/_sim/{path}", nebius.controls_url());
        let sent = reqwest::Client::new().post(url).body(body.to_string());
        sent.send().await.unwrap().status().as_u16()
    }

    async fn row(nebius: &SimulatedNebius, query: &str) -> (Value, Value) {
        let url = format!("{}/_sim/quotas?{query}", nebius.controls_url());
        let body: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let rows = body["quotas"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == H100).unwrap();
        (row["limit"].clone(), row["usage"].clone())
    }

    #[tokio::test]
    async fn a_limit_and_a_usage_set_over_http_are_in_the_account() {
        let nebius = start().await;
        let change = json!({"region": "eu-north1", "name": H100, "value": 16});
        assert_eq!(post(&nebius, "limit", change.clone()).await, 204);
        assert_eq!(post(&nebius, "usage", change).await, 204);
        assert_eq!(
            row(&nebius, "region=eu-north1").await,
            (json!(16), json!(16))
        );
    }

    #[tokio::test]
    async fn a_project_has_rows_of_its_own_which_may_inherit() {
        let nebius = start().await;
        let project = "project-e00eu-north1";
        let mut change =
            json!({"parent": project, "region": "eu-north1", "name": H100, "value": 8});
        let query = format!("parent={project}");
        assert_eq!(post(&nebius, "limit", change.clone()).await, 204);
        assert_eq!(row(&nebius, &query).await.0, json!(8));
        change["value"] = Value::Null;
        assert_eq!(post(&nebius, "limit", change).await, 204);
        assert_eq!(row(&nebius, &query).await.0, Value::Null);
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_refused_with_a_reason() {
        let nebius = start().await;
        let elsewhere = json!({"region": "mars-north1", "name": H100, "value": 1});
        assert_eq!(post(&nebius, "limit", elsewhere).await, 404);
        let misspelt = json!({"reigon": "eu-north1", "name": H100, "value": 1});
        assert_eq!(post(&nebius, "limit", misspelt).await, 400);
        let nothing = json!({"region": "eu-north1", "name": H100, "value": null});
        assert_eq!(post(&nebius, "usage", nothing).await, 400);
    }
}
