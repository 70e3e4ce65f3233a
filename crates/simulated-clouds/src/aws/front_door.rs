//! The HTTP server: reads a request, lets the world decide, and delivers what was decided.

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::control_surface;
use super::controls::Controls;
use super::incoming::Incoming;
use super::ledger::CallKey;
use super::socket::{CuttableListener, Scissors};
use super::world::Delivery;

#[derive(Clone)]
struct Door {
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
    let door = Door {
        controls: controls.clone(),
        stop: stop.clone(),
    };
    let app = Router::new()
        .fallback(answer)
        .with_state(door)
        .nest("/_sim", control_surface::router(controls))
        .into_make_service_with_connect_info::<Scissors>();
    let stopped = async move { while stop.changed().await.is_ok() {} };
    let served = axum::serve(CuttableListener(listener), app)
        .with_graceful_shutdown(stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the simulated AWS stopped");
    }
}

async fn answer(
    State(mut door): State<Door>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let incoming = Incoming {
        method,
        uri,
        headers,
        body,
    };
    let decision = door.controls.world().decide(&incoming, Instant::now());
    let _in_flight = InFlight {
        controls: door.controls.clone(),
        key: decision.key,
    };
    if !decision.delay.is_zero() {
        sleep(decision.delay).await;
    }
    match decision.delivery {
        Delivery::Answer(reply) => reply.into_response(),
        Delivery::Hang => {
            while door.stop.changed().await.is_ok() {}
            scissors.cut();
            Response::default()
        }
        Delivery::Cut => {
            scissors.cut();
            Response::default()
        }
    }
}

/// Ends the call in the ledger, also when the client hangs up first.
struct InFlight {
    controls: Controls,
    key: CallKey,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.controls.world().ledger.leave(&self.key);
    }
}
