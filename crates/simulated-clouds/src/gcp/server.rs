//! All services on one port, and the simulated cloud's own time in every answer.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::fmt::rfc2822::DateTimePrinter;

use super::controls::Controls;
use super::{access, compute, control_surface, monitoring, quota_infos};

const METADATA: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

const QUOTA_INFOS: &str =
    "/v1/projects/{project}/locations/global/services/compute.googleapis.com/quotaInfos";

pub(super) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/token", post(access::exchange))
        .route(METADATA, get(access::metadata))
        .route("/compute/v1/projects/{project}", get(compute::get_project))
        .route(
            "/compute/v1/projects/{project}/regions",
            get(compute::list_regions),
        )
        .route(
            "/compute/v1/projects/{project}/regions/{region}",
            get(compute::get_region),
        )
        .route(QUOTA_INFOS, get(quota_infos::list))
        .route(&format!("{QUOTA_INFOS}/{{id}}"), get(quota_infos::get))
        .route("/v3/projects/{project}/timeSeries", get(monitoring::list))
        .with_state(controls.clone())
        .nest("/_sim", control_surface::router(controls.clone()))
        .layer(middleware::from_fn_with_state(controls, dated))
}

/// Tells the time by the clock of the simulation, which tests may pause.
async fn dated(State(controls): State<Controls>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&controls.now());
    let date = date.ok().and_then(|date| HeaderValue::from_str(&date).ok());
    if let Some(date) = date {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
