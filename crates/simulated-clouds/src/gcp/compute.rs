//! Compute Engine: regions and the project, with their quotas.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::controls::{Controls, Method};
use super::errors::{self, Refusal, Service};
use super::fields::Fields;
use super::gate::{Call, admit};
use super::{Metric, Project, RegionState};

pub(super) type Parameters = Query<BTreeMap<String, String>>;

/// The members of the resources, which `fields` may name.
const KNOWN: &[&str] = &[
    "kind",
    "id",
    "name",
    "description",
    "status",
    "zones",
    "quotas",
    "metric",
    "limit",
    "usage",
    "owner",
    "selfLink",
    "supportsPzs",
    "quotaStatusWarning",
    "code",
    "message",
    "data",
    "items",
    "nextPageToken",
    "commonInstanceMetadata",
];

pub(super) async fn list_regions(
    State(controls): State<Controls>,
    Path(project): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let call = Call::new(Method::ListRegions, &project, &headers).page(&query);
    admit(&controls, call).await?;
    let state = controls.state();
    let invalid = |message: &str| errors::invalid(Service::Compute, message);
    let token = call.page_token;
    let first: usize = match token.strip_prefix("at-") {
        Some(place) => place.parse().map_err(|_| invalid("Invalid page token"))?,
        None if token.is_empty() => 0,
        None => return Err(invalid("Invalid page token")),
    };
    let most = match query.get("maxResults") {
        Some(text) => text.parse().map_err(|_| invalid("Invalid maxResults"))?,
        None => 500,
    };
    let size = state.page_size.min(most);
    let regions = state.project.regions.iter().skip(first).take(size);
    let items: Vec<_> = regions
        .map(|(name, region)| region_document(name, region))
        .collect();
    let mut page = json!({"kind": "compute#regionList", "id": format!("projects/{project}/regions"),
                          "items": items});
    if first + size < state.project.regions.len() {
        page["nextPageToken"] = format!("at-{}", first + size).into();
    }
    partial(&page, &query)
}

pub(super) async fn get_region(
    State(controls): State<Controls>,
    Path((project, region)): Path<(String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let call = Call::new(Method::GetRegion, &project, &headers).about(&region);
    admit(&controls, call).await?;
    let state = controls.state();
    match state.project.regions.get(&region) {
        Some(found) => partial(&region_document(&region, found), &query),
        None => {
            let what = format!("projects/{project}/regions/{region}");
            Err(errors::not_found(Service::Compute, &what))
        }
    }
}

pub(super) async fn get_project(
    State(controls): State<Controls>,
    Path(project): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let call = Call::new(Method::GetProject, &project, &headers);
    admit(&controls, call).await?;
    let state = controls.state();
    partial(&project_document(&state.project), &query)
}

fn region_document(name: &str, region: &RegionState) -> Value {
    let zones = ["a", "b", "c"].map(|zone| format!("zones/{name}-{zone}"));
    let mut document = json!({
        "kind": "compute#region", "id": "1000", "name": name, "description": name,
        "status": "UP", "supportsPzs": false,
        "zones": zones,
    });
    match region.quotas_unavailable {
        false => document["quotas"] = quotas(&region.metrics),
        true => {
            document["quotaStatusWarning"] = json!({
                "code": "QUOTA_INFO_UNAVAILABLE",
                "message": "The quota information of this region cannot be loaded.",
            });
        }
    }
    document
}

fn project_document(project: &Project) -> Value {
    json!({
        "kind": "compute#project", "id": project.number, "name": project.id,
        "quotas": quotas(&project.global),
        // Old projects keep secrets here; a caller that asks for quotas must not be sent them.
        "commonInstanceMetadata": {"items": [{"key": "db-password", "value": "planted-secret"}]},
    })
}

fn quotas(metrics: &BTreeMap<String, Metric>) -> Value {
    let rows = metrics.iter().map(
        |(name, Metric { limit, usage })| json!({"metric": name, "limit": limit, "usage": usage}),
    );
    rows.collect()
}

fn partial(document: &Value, query: &BTreeMap<String, String>) -> Result<Json<Value>, Refusal> {
    let Some(fields) = query.get("fields") else {
        return Ok(Json(document.clone()));
    };
    let asked = Fields::parse(fields).and_then(|fields| fields.apply(document, KNOWN));
    asked
        .map(Json)
        .map_err(|message| errors::invalid(Service::Compute, &message))
}
