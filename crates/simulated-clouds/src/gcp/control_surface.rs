//! The project's contents over HTTP, for tests in other languages and for people with curl.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::steering::{parsed, refuse, traffic_routes};

use super::controls::Controls;
use super::fixtures::LAG;

/// All routes below `/_sim`.
pub(super) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/quotas", get(quotas))
        .route("/limit", post(limit))
        .route("/usage", post(usage))
        .merge(traffic_routes())
        .with_state(controls)
}

/// The new number of a quota: of a region, or of the project where none is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    region: Option<String>,
    /// As quota-oracle names it, such as `NVIDIA_L4_GPUS` or `GPUS_PER_GPU_FAMILY/NVIDIA_H100`.
    code: String,
    value: Option<i64>,
    /// The age of a family's usage, whenever it is asked for.
    #[serde(default = "usual_lag_seconds")]
    lag_seconds: u64,
}

/// Without any lag the newest point would be younger than the end of the interval that is asked
/// for, and so never be found.
fn usual_lag_seconds() -> u64 {
    LAG.as_secs()
}

/// Compute Engine's quotas, as they are.
async fn quotas(State(controls): State<Controls>) -> Json<Value> {
    let state = controls.state();
    let project = &state.project;
    let rows = |metrics: &std::collections::BTreeMap<String, super::Metric>| -> Value {
        let rows = metrics.iter();
        rows.map(|(name, metric)| (name.clone(), json!([metric.limit, metric.usage])))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let regions = project.regions.iter();
    let regions: serde_json::Map<_, _> = regions
        .map(|(name, region)| (name.clone(), rows(&region.metrics)))
        .collect();
    Json(json!({"project": project.id, "global": rows(&project.global), "regions": regions}))
}

async fn limit(State(controls): State<Controls>, body: Bytes) -> Response {
    change(&controls, &body, |project, change| {
        project.set_limit(change.region.as_deref(), &change.code, change.value);
    })
}

async fn usage(State(controls): State<Controls>, body: Bytes) -> Response {
    change(&controls, &body, |project, change| {
        let lag = Duration::from_secs(change.lag_seconds);
        let usage = change.value.unwrap_or_default();
        project.set_usage(change.region.as_deref(), &change.code, usage, lag);
    })
}

fn change(
    controls: &Controls,
    body: &Bytes,
    change: impl FnOnce(&mut super::Project, Change),
) -> Response {
    let wanted: Change = match parsed(body) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let mut state = controls.state();
    if let Some(region) = &wanted.region
        && !state.project.regions.contains_key(region)
    {
        let sentence = format!("no region {region}");
        return refuse(StatusCode::NOT_FOUND, sentence);
    }
    change(&mut state.project, wanted);
    StatusCode::NO_CONTENT.into_response()
}
