//! `POST /refresh/…`: reads the cloud now, through the same coalescing and rate limit.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::oracle::RegionView;

use super::auth::Caller;
use super::auth::visibility::check_visible;
use super::error::{Problem, ProblemBody};
use super::extract::deadline::Deadline;
use super::extract::query::{NoQuery, StrictQuery};
use super::quotas::body::RegionOverviewBody;
use super::state::Shared;

/// The regions after reading them, or at the request's deadline.
#[derive(Serialize, ToSchema)]
pub(super) struct Refreshed {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: String,
    /// Its regions that were to be read; `last_failure` tells of those that could not be.
    #[schema(value_type = Vec<RegionOverviewBody<'static>>)]
    regions: serde_json::Value,
}

/// Reads all regions of a backend now.
#[utoipa::path(post, path = "/refresh/{backend}", operation_id = "refresh_backend", tag = "operation",
    params(("backend" = String, Path, description = "The backend's name", example = "aws")),
    responses((status = 200, body = Refreshed), (status = 404, body = ProblemBody)))]
pub(super) async fn backend(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(deadline): Extension<Deadline>,
    Path(backend): Path<String>,
    _: StrictQuery<NoQuery>,
) -> Result<Json<Refreshed>, Problem> {
    refresh(&shared, &caller, deadline, backend, None).await
}

/// Reads a region now.
#[utoipa::path(post, path = "/refresh/{backend}/{region}", operation_id = "refresh_region", tag = "operation",
    params(
        ("backend" = String, Path, description = "The backend's name", example = "aws"),
        ("region" = String, Path, description = "The cloud's own region name", example = "us-east-1"),
    ),
    responses((status = 200, body = Refreshed), (status = 404, body = ProblemBody)))]
pub(super) async fn region(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(deadline): Extension<Deadline>,
    Path((backend, region)): Path<(String, String)>,
    _: StrictQuery<NoQuery>,
) -> Result<Json<Refreshed>, Problem> {
    refresh(&shared, &caller, deadline, backend, Some(region)).await
}

async fn refresh(
    shared: &Shared,
    caller: &Caller,
    Deadline(deadline): Deadline,
    backend: String,
    region: Option<String>,
) -> Result<Json<Refreshed>, Problem> {
    check_visible(shared, caller, &backend)?;
    tracing::info!(by = caller.name(), backend, region, "refresh");
    let views: Vec<RegionView> = shared
        .0
        .oracle
        .refresh(&backend, region.as_deref(), deadline)
        .await?;
    let regions: Vec<_> = views.iter().map(RegionOverviewBody::of).collect();
    let regions = serde_json::to_value(regions).expect("wire structs have text keys only");
    Ok(Json(Refreshed { backend, regions }))
}
