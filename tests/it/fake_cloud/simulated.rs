//! The fake cloud's side of the wire: a small HTTP service on loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The project that the cloud knows, and its token.
pub(super) const PROJECT: &str = "lab";
pub(super) const TOKEN: &str = "planted-token-of-the-fake-cloud";

/// The items of a page of a list; the lists below have more.
const PAGE: usize = 4;

/// A running fake cloud; clones control the same one.
#[derive(Clone, Debug)]
pub(super) struct SimulatedCloud {
    pub(super) url: String,
    state: Arc<Mutex<CloudState>>,
    /// Whether lists of quotas wait before they are sent.
    holds_lists: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct CloudState {
    quotas: Vec<Value>,
    types: Vec<Value>,
    calls: BTreeMap<&'static str, u64>,
    refusals: BTreeMap<&'static str, (StatusCode, &'static str)>,
}

impl SimulatedCloud {
    /// Starts the cloud with two regions.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cloud = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::default(),
            holds_lists: watch::Sender::new(false),
        };
        for (region, code, limit, usage) in [
            ("north", "vcpus", 128, 8),
            ("north", "gpus", 4, 1),
            ("north", "spot_gpus", 16, 0),
            ("south", "vcpus", 128, 0),
            ("south", "gpus", 4, 0),
            ("south", "spot_gpus", 0, 0),
        ] {
            cloud.set_quota(code, Some(region), json!(limit), usage);
        }
        cloud.set_quota("gpus_all_regions", None, json!(12), 1);
        for region in ["north", "south"] {
            for name in ["cpu-8", "gpu-1", "gpu-8"] {
                cloud.set_type(name, region, "open", true);
            }
        }
        let router = Router::new()
            .route("/projects/{project}/quotas", get(list_quotas))
            .route("/projects/{project}/quotas/{code}", get(get_quota))
            .route("/projects/{project}/types", get(list_types))
            .with_state(cloud.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        cloud
    }

    /// Sets a quota of a region or, without one, of the project.
    pub(super) fn set_quota(&self, code: &str, region: Option<&str>, limit: Value, usage: u32) {
        let row = json!({"code": code, "region": region, "limit": limit, "usage": usage});
        let quotas = &mut self.state.lock().unwrap().quotas;
        quotas.retain(|known| (&known["code"], &known["region"]) != (&row["code"], &row["region"]));
        quotas.push(row);
    }

    /// Sets a member of a type in a region, such as `open`.
    pub(super) fn set_type(&self, name: &str, region: &str, member: &str, value: bool) {
        let types = &mut self.state.lock().unwrap().types;
        let mut row = json!({"name": name, "region": region,
                             "open": true, "spot": true, "every_zone": true});
        if let Some(place) = types
            .iter()
            .position(|known| (&known["name"], &known["region"]) == (&row["name"], &row["region"]))
        {
            row = types.remove(place);
        }
        row[member] = value.into();
        types.push(row);
    }

    /// Lets calls of an operation be refused with this status and code.
    pub(super) fn refuse(&self, operation: &'static str, status: u16, code: &'static str) {
        let status = StatusCode::from_u16(status).unwrap();
        let refusals = &mut self.state.lock().unwrap().refusals;
        refusals.insert(operation, (status, code));
    }

    /// Answers all calls again.
    pub(super) fn refuse_nothing(&self) {
        self.state.lock().unwrap().refusals.clear();
    }

    /// Lets lists of quotas, as they are when asked for, wait before they are sent, or go.
    pub(super) fn hold_lists(&self, hold: bool) {
        self.holds_lists.send_replace(hold);
    }

    /// Returns how many calls of an operation have come in.
    pub(super) fn calls(&self, operation: &str) -> u64 {
        let calls = &self.state.lock().unwrap().calls;
        calls.get(operation).copied().unwrap_or_default()
    }

    /// Counts a call, and refuses it if it is not signed or meant to be refused.
    fn admit(
        &self,
        operation: &'static str,
        project: &str,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let mut state = self.state.lock().unwrap();
        *state.calls.entry(operation).or_default() += 1;
        let signed = format!("Bearer {TOKEN}");
        if headers
            .get("authorization")
            .is_none_or(|got| got != &*signed)
        {
            return Err(Refusal(StatusCode::UNAUTHORIZED, "invalid_token"));
        }
        if project != PROJECT {
            return Err(Refusal(StatusCode::NOT_FOUND, "no_such_project"));
        }
        match state.refusals.get(operation) {
            Some((status, code)) => Err(Refusal(*status, code)),
            None => Ok(()),
        }
    }
}

struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code) = self;
        (status, Json(json!({"code": code, "message": "no"}))).into_response()
    }
}

type Parameters = Query<BTreeMap<String, String>>;

async fn list_quotas(
    State(cloud): State<SimulatedCloud>,
    Path(project): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    cloud.admit("ListQuotas", &project, &headers)?;
    let page = page(&cloud.state.lock().unwrap().quotas, &query["page"]);
    let mut held = cloud.holds_lists.subscribe();
    let _ = held.wait_for(|hold| !hold).await;
    Ok(page)
}

async fn get_quota(
    State(cloud): State<SimulatedCloud>,
    Path((project, code)): Path<(String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    cloud.admit("GetQuota", &project, &headers)?;
    let quotas = &cloud.state.lock().unwrap().quotas;
    let is_asked = |row: &&Value| {
        row["code"] == *code && (row["region"].is_null() || row["region"] == *query["region"])
    };
    let found = quotas.iter().find(is_asked);
    found
        .map(|row| Json(row.clone()))
        .ok_or(Refusal(StatusCode::NOT_FOUND, "no_such_quota"))
}

async fn list_types(
    State(cloud): State<SimulatedCloud>,
    Path(project): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    cloud.admit("ListTypes", &project, &headers)?;
    Ok(page(&cloud.state.lock().unwrap().types, &query["page"]))
}

/// Returns a page of a list and the token of the next one.
fn page(items: &[Value], token: &str) -> Json<Value> {
    let first: usize = token.parse().unwrap_or(0);
    let last = items.len().min(first + PAGE);
    let next = (last < items.len()).then(|| last.to_string());
    let next = next.unwrap_or_default();
    Json(json!({"items": items[first..last], "next_page": next}))
}
