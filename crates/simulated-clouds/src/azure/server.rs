//! All services on one port, and the headers that every answer has.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse, Json, Response};
use jiff::fmt::rfc2822::DateTimePrinter;
use tokio::net::TcpListener;
use tower_http::compression::{CompressionLayer, CompressionLevel};

use crate::socket::{ConnectionCutter, CuttableListener};

use super::controls::{Controls, Method};
use super::errors::{self, Refusal};
use super::gate::{Admitted, admit};
use super::request::Asked;
use super::{control_surface, identity, sign_in, skus, usages};

/// The largest form that the authority reads.
const LARGEST_FORM: usize = 64 * 1024;

pub(super) async fn serve(listener: TcpListener, controls: Controls) {
    let router = Router::new()
        .fallback(answer)
        .with_state(controls.clone())
        .nest("/_sim", control_surface::router(controls))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    let service = router.into_make_service_with_connect_info::<ConnectionCutter>();
    // Serving ends with an error only when accepting does, and then the client tells.
    let _ = axum::serve(CuttableListener(listener), service).await;
}

async fn answer(
    State(controls): State<Controls>,
    ConnectInfo(cutter): ConnectInfo<ConnectionCutter>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, LARGEST_FORM).await;
    let mut response = match Asked::new(parts, &body.unwrap_or_default()) {
        Some(asked) => match admit(&controls, &asked, &cutter).await {
            Ok(admitted) => served(&controls, asked, &admitted).await,
            Err(refusal) => *refusal,
        },
        None => *errors::not_found(&path),
    };
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&controls.now());
    set(
        &mut response,
        header::DATE.as_str(),
        date.unwrap_or_default(),
    );
    let correlation = "c0ffee00-0000-4000-8000-000000000000".to_owned();
    set(&mut response, "x-ms-correlation-request-id", correlation);
    response
}

async fn served(controls: &Controls, asked: Asked, admitted: &Admitted) -> Response {
    let found = find(controls, asked, admitted).await;
    let mut response = found.unwrap_or_else(|refusal| *refusal);
    if let Some(left) = admitted.left {
        let reads = left.reads.to_string();
        set(
            &mut response,
            "x-ms-ratelimit-remaining-subscription-reads",
            reads,
        );
        if let Some(compute) = left.compute {
            let policy = format!("Microsoft.Compute/Simulated;{compute}");
            set(&mut response, "x-ms-ratelimit-remaining-resource", policy);
        }
    }
    response
}

async fn find(controls: &Controls, asked: Asked, admitted: &Admitted) -> Result<Response, Refusal> {
    Ok(json(match asked.method {
        Method::SignIn => sign_in::token(controls, &asked)?,
        Method::MetadataToken => identity::virtual_machine(controls, &asked)?,
        Method::AppServiceToken => identity::app_service(controls, &asked)?,
        Method::ListUsages | Method::ListNetworkUsages => usages::list(controls, &asked, admitted)?,
        Method::ListVmFamilies => usages::families(controls, &asked, admitted),
        Method::ListLocations => usages::locations(controls),
        Method::ListSkus => return sizes(controls, asked).await,
    }))
}

/// The one answer that takes long to make, made where it delays no other.
async fn sizes(controls: &Controls, asked: Asked) -> Result<Response, Refusal> {
    let controls = controls.clone();
    let made = tokio::task::spawn_blocking(move || skus::list(&controls, &asked)).await;
    let document = made.expect("making the list does not panic")?;
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Ok((json, Bytes::from(document)).into_response())
}

fn json(body: serde_json::Value) -> Response {
    Json(body).into_response()
}

fn set(response: &mut Response, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}
