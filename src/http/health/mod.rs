//! Is it alive, is it ready, what does it count.

pub(super) mod body;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use crate::model::{BackendName, CloudKind};
use crate::telemetry::in_plain_text;

use super::auth::Caller;
use super::error::Problem;
use super::extract::accept::{Offer, preferred};
use super::extract::deadline::Deadline;
use super::state::Shared;

use body::{CatalogBody, FailedRegions, Health, ReadinessBody, ReleaseBody, SharedStoreBody};

/// Alive.
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "operation", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Ready: everything that is read at start was tried, and some of it has answered.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "operation", responses(
    (status = 200, body = ReadinessBody),
    (status = 503, body = ReadinessBody, description = "First answers are missing; `waiting_for` and `failed` name them"),
))]
pub(super) async fn readyz(State(shared): State<Shared>, request: Request) -> Response {
    let readiness = shared.0.oracle.readiness();
    // Whoever has no token for a backend learns how many regions are missing, and nothing else.
    let caller = shared.0.tokens.caller(request.headers(), request.method());
    let sees = |backend: &BackendName| caller.as_ref().is_ok_and(|c| c.sees(backend.as_str()));
    let backends = shared.0.oracle.backends();
    let seen = backends.into_iter().filter(|status| sees(&status.name));
    let kinds: BTreeSet<CloudKind> = seen.map(|status| status.kind).collect();
    let is_ending = shared.0.drain.is_ending();
    let ready = readiness.is_ready() && !is_ending;
    let body = ReadinessBody {
        status: match (ready, readiness.waiting.is_empty()) {
            _ if is_ending => "stopping",
            (true, _) => "ready",
            (false, true) => "unavailable",
            (false, false) => "waiting",
        },
        waiting_count: readiness.waiting.len(),
        failed_count: readiness.failed.len(),
        waiting_for: readiness
            .waiting
            .iter()
            .filter(|region| sees(&region.location.backend))
            .map(|region| region.location.to_string())
            .collect(),
        failed: {
            let failed = readiness.failed.iter();
            FailedRegions::of(failed.filter(|region| sees(&region.location.backend)))
        },
        shared_store: {
            let store = shared.0.oracle.shared_store();
            store.map(|store| SharedStoreBody::of(&store, caller.is_ok()))
        },
        catalogs: shared
            .0
            .oracle
            .catalogs()
            .iter()
            .filter(|(kind, _)| kinds.contains(kind))
            .map(|(kind, provider)| CatalogBody {
                provider: kind.to_string(),
                offers: provider.release.table.len(),
                damaged_rows: provider.release.damaged_rows,
                release: ReleaseBody::of(provider),
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

/// The text formats of the metrics, the one that every scraper knows first.
const TEXT_FORMATS: [Offer; 2] = [
    Offer {
        media_type: "text/plain",
        versions: &["0.0.4"],
    },
    Offer {
        media_type: "application/openmetrics-text",
        versions: &["1.0.0", "0.0.1"],
    },
];

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "operation",
    responses((status = 200, content((String = "text/plain"), (String = "application/openmetrics-text")))))]
pub(super) async fn metrics(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(Deadline(deadline)): Extension<Deadline>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let heavy = &shared.0.heavy;
    let kib = shared.0.metrics_kib.load(Ordering::Relaxed);
    // The text, and the one that it is made of.
    let admission = heavy.admit(&caller, 2 * kib + 1024, deadline).await?;
    let (media_type, is_plain) = match preferred(&headers, &TEXT_FORMATS) {
        0 => ("text/plain; version=0.0.4; charset=utf-8", true),
        _ => (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            false,
        ),
    };
    let all = shared.clone();
    let text = move || {
        let oracle = &all.0.oracle;
        let mut text = oracle.metrics_text();
        let kib = u32::try_from(text.len() / 1024).unwrap_or(u32::MAX / 4);
        all.0.metrics_kib.store(kib, Ordering::Relaxed);
        let mut hidden = oracle.backend_names();
        hidden.retain(|backend| !caller.sees(backend.as_str()));
        if !hidden.is_empty() {
            text = without(&hidden, &text);
        }
        match is_plain {
            true => in_plain_text(&text),
            false => text,
        }
    };
    let text = heavy.run(text).await;
    let vary = [(header::VARY, "accept")];
    let media_type = [(header::CONTENT_TYPE, media_type)];
    Ok((Extension(admission), vary, media_type, text).into_response())
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
