//! `/leases`: room held for launches under way.

pub(super) mod body;
pub(super) mod request;
mod table;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use crate::model::{BackendName, Lease};
use crate::oracle::{LeaseWish, StoreAway};

use super::auth::Caller;
use super::auth::visibility::check_visible;
use super::error::{Kind, Problem, ProblemBody};
use super::extract::format::{FormatQuery, wants_table};
use super::extract::json;
use super::extract::query::{NoQuery, StrictQuery};
use super::settings::Scope;
use super::state::Shared;

use body::{LeaseBody, LeasesBody};
use request::{LeaseRequestBody, RenewalBody, checked_ttl, default_ttl, refusal, request_key};

/// The leases that live, of the backends that the caller sees, the oldest first.
#[utoipa::path(get, path = "/leases", operation_id = "list_leases", tag = "leases",
    params(FormatQuery),
    responses(
        (status = 200, content((LeasesBody<'static> = "application/json"), (String = "text/plain"))),
        (status = 400, body = ProblemBody),
    ))]
pub(super) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    StrictQuery(query): StrictQuery<FormatQuery>,
    headers: HeaderMap,
) -> Response {
    let leases = shared.0.oracle.leases(sees(&caller));
    if wants_table(query.format, &headers) {
        return table::body(&leases).into_response();
    }
    Json(LeasesBody::of(&leases)).into_response()
}

/// Takes a lease on every quota that a launch draws from, all or nothing, as they are known now.
///
/// Needs the scope `verify`. Where nobody knows whether there is room, the lease holds nothing and
/// says so (`backed`). A repeated request with the same `Idempotency-Key` gets the same lease.
#[utoipa::path(post, path = "/leases", operation_id = "take_lease", tag = "leases",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request answer the first one's lease; at most 255 bytes")),
    request_body(content = LeaseRequestBody<'static>),
    responses(
        (status = 201, body = LeaseBody<'static>),
        (status = 400, body = ProblemBody, description = "`field` is the path of what is wrong"),
        (status = 404, body = ProblemBody, description = "No such backend; `known` names those there are"),
        (status = 409, body = ProblemBody, description = "The launch does not fit, or is not available; `verdict` says why"),
        (status = 422, body = ProblemBody, description = "The `Idempotency-Key` was used for another request"),
        (status = 503, body = ProblemBody, description = "As many leases live as may"),
    ))]
pub(super) async fn take(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    _: StrictQuery<NoQuery>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.require(Scope::Verify)?;
    let asked: LeaseRequestBody<'_> = json::read(&headers, &body)?;
    let settings = &shared.0.leases;
    let ttl = checked_ttl("ttl", asked.ttl.unwrap_or(default_ttl(settings)), settings)?;
    let request = request_key(&caller, &headers, uri.path(), &body)?;
    let json::Object(offer) = &asked.offer;
    let offer = offer.offer();
    check_visible(&shared, &caller, offer.backend)?;
    let wish = LeaseWish {
        offer,
        count: asked.count,
        ttl,
        request,
    };
    let lease = shared.0.oracle.take_lease(wish).await.map_err(refusal)?;
    log_taken(&caller, &lease);
    Ok((StatusCode::CREATED, Json(LeaseBody::of(&lease))).into_response())
}

/// Notes that the launch of a lease has happened: it counts until the usage that the cloud tells
/// shows the instances.
#[utoipa::path(post, path = "/leases/{id}/commit", operation_id = "commit_lease", tag = "leases",
    params(("id" = String, Path, description = "The lease's identity")),
    responses((status = 200, body = LeaseBody<'static>), (status = 404, body = ProblemBody)))]
pub(super) async fn commit(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    _: StrictQuery<NoQuery>,
) -> Result<Response, Problem> {
    let lease = shared.0.oracle.commit_lease(&id, sees(&caller));
    let lease = lease.await.map_err(away)?.ok_or_else(unknown)?;
    tracing::info!(by = caller.name(), id = %lease.id, "lease committed");
    Ok(Json(LeaseBody::of(&lease)).into_response())
}

/// Lets a lease live for another while, from now on. A committed one stays as it is.
#[utoipa::path(post, path = "/leases/{id}/renew", operation_id = "renew_lease", tag = "leases",
    params(("id" = String, Path, description = "The lease's identity")),
    request_body(content = RenewalBody),
    responses(
        (status = 200, body = LeaseBody<'static>),
        (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ))]
pub(super) async fn renew(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let RenewalBody { ttl } = json::read(&headers, &body)?;
    let ttl = checked_ttl("ttl", ttl, &shared.0.leases)?;
    let lease = shared.0.oracle.renew_lease(&id, ttl, sees(&caller));
    let lease = lease.await.map_err(away)?.ok_or_else(unknown)?;
    Ok(Json(LeaseBody::of(&lease)).into_response())
}

/// Ends a lease, also one whose launch was committed and never came up.
#[utoipa::path(delete, path = "/leases/{id}", operation_id = "release_lease", tag = "leases",
    params(("id" = String, Path, description = "The lease's identity")),
    responses((status = 204, description = "It holds nothing any more"), (status = 404, body = ProblemBody)))]
pub(super) async fn release(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    _: StrictQuery<NoQuery>,
) -> Result<StatusCode, Problem> {
    let lease = shared.0.oracle.release_lease(&id, sees(&caller));
    let lease = lease.await.map_err(away)?.ok_or_else(unknown)?;
    tracing::info!(by = caller.name(), id = %lease.id, "lease released");
    Ok(StatusCode::NO_CONTENT)
}

/// Logs a lease with the name of who has it.
pub(super) fn log_taken(caller: &Caller, lease: &Lease) {
    tracing::info!(
        by = caller.name(), id = %lease.id, backend = %lease.backend, region = %lease.region,
        instance_type = %lease.instance_type, count = lease.count, backed = lease.backed,
        "lease taken"
    );
}

fn sees(caller: &Caller) -> impl Fn(&BackendName) -> bool {
    |backend| caller.sees(backend.as_str())
}

fn away(StoreAway: StoreAway) -> Problem {
    request::store_away(
        "no lease of this name is known here, and the store is away that other replicas share",
    )
}

fn unknown() -> Problem {
    Problem::new(
        Kind::UnknownLease,
        "there is no such lease, or it has ended",
    )
}
