//! Cloud Quotas: values by dimensions, without the members that are false, zero or empty.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::compute::Parameters;
use super::controls::{Controls, Method};
use super::errors::{self, Refusal, Service};
use super::gate::{Call, admit};
use super::{QuotaInfo, ValueRow};

pub(super) async fn get(
    State(controls): State<Controls>,
    Path((project, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let call = Call::new(Method::GetQuotaInfo, &project, &headers).about(&id);
    admit(&controls, call).await?;
    let state = controls.state();
    let found = state
        .project
        .quota_infos
        .iter()
        .find(|info| info.quota_id == id);
    match found {
        Some(info) => Ok(Json(document(info, &state.project.number))),
        None => {
            let what = format!("projects/{project}/…/quotaInfos/{id}");
            Err(errors::not_found(Service::Quotas, &what))
        }
    }
}

pub(super) async fn list(
    State(controls): State<Controls>,
    Path(project): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let call = Call::new(Method::ListQuotaInfos, &project, &headers).page(&query);
    admit(&controls, call).await?;
    let state = controls.state();
    let infos = state.project.quota_infos.iter();
    let infos: Vec<_> = infos
        .map(|info| document(info, &state.project.number))
        .collect();
    Ok(Json(json!({"quotaInfos": infos})))
}

fn document(info: &QuotaInfo, number: &str) -> Value {
    let id = &info.quota_id;
    let metric = id.split("-per-project").next().unwrap_or_default();
    let metric = metric.replace('-', "_").to_ascii_lowercase();
    let service = "compute.googleapis.com";
    let mut document = json!({
        "name": format!("projects/{number}/locations/global/services/{service}/quotaInfos/{id}"),
        "quotaId": id,
        "metric": format!("{service}/{metric}"),
        "service": service,
        "isPrecise": true,
        "containerType": "PROJECT",
        "dimensions": info.dimensions,
        "quotaDisplayName": id,
        "metricDisplayName": metric,
        "metricUnit": "1",
        "serviceRequestQuotaUri": format!(
            "https://console.cloud.google.com/iam-admin/quotas?project={number}&metric={metric}"
        ),
        "dimensionsInfos": info.rows.iter().map(row).collect::<Vec<_>>(),
    });
    document["quotaIncreaseEligibility"] = match info.is_eligible {
        true => json!({"isEligible": true}),
        false => json!({"ineligibilityReason": "NO_VALID_BILLING_ACCOUNT"}),
    };
    document
}

fn row(row: &ValueRow) -> Value {
    let mut members = Map::new();
    if !row.dimensions.is_empty() {
        members.insert("dimensions".to_owned(), json!(row.dimensions));
    }
    match row.value {
        None => {}
        Some(0) => {
            members.insert("details".to_owned(), json!({}));
        }
        Some(value) => {
            let details = json!({"value": value.to_string(), "rolloutInfo": {}});
            members.insert("details".to_owned(), details);
        }
    }
    members.insert("applicableLocations".to_owned(), json!(row.locations));
    Value::Object(members)
}
