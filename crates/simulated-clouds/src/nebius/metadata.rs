//! The metadata service of a simulated virtual machine, which hands out its account's token; and
//! beside it, on the one port that speaks plain HTTP, the controls.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Controls, control_surface};

/// The path in Nebius's own Go SDK, auth/imds_tokener.go.
const TOKEN_PATH: &str = "/v1/iam/sa/token";

pub(super) async fn serve(listener: TcpListener, controls: Controls) {
    let router = Router::new()
        .route(TOKEN_PATH, get(token))
        .with_state(controls.clone())
        .nest("/_sim", control_surface::router(controls));
    // Serving ends with an error only when accepting does, and then the client tells.
    let _ = axum::serve(listener, router).await;
}

async fn token(State(controls): State<Controls>) -> Json<Value> {
    let (token, lifetime) = controls.state().tokens.issued.issue(());
    let expires_at = jiff::Timestamp::now()
        .saturating_add(jiff::SignedDuration::try_from(lifetime).unwrap_or_default())
        .unwrap_or(jiff::Timestamp::MAX);
    Json(json!({"access_token": token, "expires_at": expires_at}))
}
