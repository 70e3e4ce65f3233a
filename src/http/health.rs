//! Is it alive, is it ready, what does it count.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::BackendName;
use crate::oracle::{Provider, RegionStatus};

use super::Shared;
use super::access::Caller;
use super::body::time;

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
    /// The catalogs that offers come from. One that cannot be loaded keeps what it had, and does
    /// not keep the service from being ready.
    catalogs: Vec<CatalogBody>,
}

/// A cloud's catalog, as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Catalog)]
pub(super) struct CatalogBody {
    /// Which cloud.
    #[schema(example = "aws")]
    provider: String,
    /// How many offers it has.
    offers: usize,
    /// How many rows were damaged, and left out.
    damaged_rows: usize,
    #[serde(flatten)]
    release: ReleaseBody,
}

/// Which release of a catalog is served.
#[derive(Serialize, ToSchema)]
#[schema(as = CatalogEdition)]
pub(super) struct ReleaseBody {
    /// Where it comes from: `bundled`, `directory` or `published`.
    origin: &'static str,
    /// What the source calls it, where it has a name for it.
    version: Option<String>,
    /// When it was loaded.
    loaded_at: String,
    /// Why it is not what the source has now; absent when it is. In full only for callers with a
    /// token, where tokens are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// A region that could not be read.
#[derive(Serialize, ToSchema)]
pub(super) struct FailedRegion {
    /// Backend and region.
    #[schema(example = "aws/us-east-1")]
    location: String,
    /// Why; only the kind for whoever sends no token for the backend, where tokens are configured.
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
pub(super) async fn readyz(State(shared): State<Shared>, request: Request) -> Response {
    let readiness = shared.0.oracle.readiness();
    // Whoever has no token for a backend learns that a region failed, and not what the cloud said
    // of the account.
    let caller = shared.0.tokens.caller(request.headers(), request.method());
    let sees = |backend: &BackendName| caller.as_ref().is_ok_and(|c| c.sees(backend.as_str()));
    let ready = readiness.is_ready();
    let body = ReadinessBody {
        status: if ready { "ready" } else { "waiting" },
        waiting_for: readiness
            .waiting
            .iter()
            .map(|region| region.location.to_string())
            .collect(),
        failed: readiness
            .failed
            .iter()
            .map(|region| FailedRegion::of(region, sees(&region.location.backend)))
            .collect(),
        catalogs: shared
            .0
            .oracle
            .catalogs()
            .iter()
            .map(|(kind, provider)| CatalogBody {
                provider: kind.to_string(),
                offers: provider.release.table.len(),
                damaged_rows: provider.release.damaged_rows,
                release: match caller.is_ok() {
                    true => ReleaseBody::of(provider),
                    false => ReleaseBody::of(provider).for_strangers(),
                },
            })
            .collect(),
    };
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(body)).into_response()
}

impl ReleaseBody {
    pub(super) fn of(provider: &Provider) -> Self {
        let release = &provider.release;
        Self {
            origin: release.origin.as_str(),
            version: release.version.as_ref().map(ToString::to_string),
            loaded_at: time(release.loaded_at),
            last_error: provider.last_error.as_ref().map(ToString::to_string),
        }
    }

    /// Without what the failure tells of paths and addresses.
    fn for_strangers(self) -> Self {
        let in_short = |_| "the source could not be read".to_owned();
        Self {
            last_error: self.last_error.map(in_short),
            ..self
        }
    }
}

impl FailedRegion {
    fn of(region: &RegionStatus, in_full: bool) -> Self {
        let failure = region.failure.as_ref();
        Self {
            location: region.location.to_string(),
            failure: failure.map_or_else(String::new, |failure| match in_full {
                true => failure.to_string(),
                false => failure.kind.as_str().to_owned(),
            }),
        }
    }
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let oracle = &shared.0.oracle;
    let (quotas, snapshots) = oracle.samples();
    let mut text = oracle
        .metrics()
        .render(quotas, snapshots, oracle.catalog_samples());
    let mut hidden = oracle.backend_names();
    hidden.retain(|backend| !caller.sees(backend.as_str()));
    if !hidden.is_empty() {
        text = without(&hidden, &text);
    }
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

/// The lines that say nothing of backends which do not exist for the caller.
fn without(hidden: &[BackendName], text: &str) -> String {
    let labels: Vec<String> = hidden
        .iter()
        .map(|backend| format!("backend=\"{backend}\""))
        .collect();
    text.split_inclusive('\n')
        .filter(|line| !labels.iter().any(|label| line.contains(label)))
        .collect()
}
