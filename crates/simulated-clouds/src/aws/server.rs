//! The HTTP server: reads a request, asks the state for a decision, and delivers it.

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::call_log::CallKey;
use super::control_surface;
use super::controls::Controls;
use super::request::Request;
use super::state::Delivery;
use crate::socket::{ConnectionCutter, CuttableListener};

#[derive(Clone)]
struct Server {
    controls: Controls,
    /// Closed when the simulated AWS is dropped.
    stop: watch::Receiver<()>,
}

/// Serves until the other end of `stop` is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    controls: Controls,
    mut stop: watch::Receiver<()>,
) {
    let server = Server {
        controls: controls.clone(),
        stop: stop.clone(),
    };
    let app = Router::new()
        .fallback(answer)
        .with_state(server)
        .nest("/_sim", control_surface::router(controls))
        .into_make_service_with_connect_info::<ConnectionCutter>();
    let stopped = async move { while stop.changed().await.is_ok() {} };
    let served = axum::serve(CuttableListener(listener), app)
        .with_graceful_shutdown(stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the simulated AWS stopped");
    }
}

async fn answer(
    State(mut server): State<Server>,
    ConnectInfo(cutter): ConnectInfo<ConnectionCutter>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        method,
        uri,
        headers,
        body,
    };
    let decision = server.controls.state().decide(&request, Instant::now());
    let _in_flight = InFlight {
        controls: server.controls.clone(),
        key: decision.key,
    };
    if !decision.delay.is_zero() {
        sleep(decision.delay).await;
    }
    match decision.delivery {
        Delivery::Answer(response) => response.into_response(),
        Delivery::Hang => {
            while server.stop.changed().await.is_ok() {}
            cutter.cut();
            Response::default()
        }
        Delivery::Cut => {
            cutter.cut();
            Response::default()
        }
    }
}

/// Ends the call in the call log, also when the client hangs up first.
struct InFlight {
    controls: Controls,
    key: CallKey,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.controls.state().call_log.leave(&self.key);
    }
}
