//! Is it alive, is it ready, what does it count.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::oracle::RegionStatus;

use super::Shared;

/// Whether the process is alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
    /// The version of the service.
    version: &'static str,
}

/// Whether the first answers are there.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadinessBody {
    /// `ready` or `waiting`.
    status: &'static str,
    /// Regions that are read at start and were neither read nor refused yet.
    waiting_for: Vec<String>,
    /// Regions that could not be read, and why. They do not keep the service from being ready.
    failed: Vec<FailedRegion>,
}

/// A region that could not be read.
#[derive(Serialize, ToSchema)]
pub(super) struct FailedRegion {
    /// Backend and region.
    #[schema(example = "aws/us-east-1")]
    location: String,
    /// Why.
    failure: String,
}

/// Alive.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Ready: everything that is read at start is in, or has failed.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, body = ReadinessBody),
    (status = 503, body = ReadinessBody, description = "First answers are missing; `waiting_for` names them"),
))]
pub(super) async fn readyz(State(shared): State<Shared>) -> Response {
    let readiness = shared.0.oracle.readiness();
    let ready = readiness.is_ready();
    let body = ReadinessBody {
        status: if ready { "ready" } else { "waiting" },
        waiting_for: readiness
            .waiting
            .iter()
            .map(|region| region.location.to_string())
            .collect(),
        failed: readiness.failed.into_iter().map(FailedRegion::of).collect(),
    };
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(body)).into_response()
}

impl FailedRegion {
    fn of(region: RegionStatus) -> Self {
        Self {
            location: region.location.to_string(),
            failure: region.failure.unwrap_or_default(),
        }
    }
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let oracle = &shared.0.oracle;
    let (quotas, snapshots) = oracle.samples();
    let text = oracle.metrics().render(quotas, snapshots);
    // The encoder writes OpenMetrics 1.0, which readers of the older Prometheus text understand:
    // what is new to them is in comments.
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let media_type = match accepts {
        Some(accept) if accept.contains("application/openmetrics-text") => {
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
        _ => "text/plain; version=0.0.4; charset=utf-8",
    };
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}
