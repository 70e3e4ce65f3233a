//! `serve`: runs the service.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::clock::Clock;
use crate::config;

use super::output::Error;

pub(super) async fn run(config: Option<&Path>) -> Result<(), Error> {
    let loaded = config::load(config, config::environment()).map_err(Error::usage)?;
    let config = loaded.config;
    let app = App::new(&config, Clock::system())
        .await
        .map_err(Error::usage)?;
    let listener = listen(config.server.listen, "set `server.listen`").await?;
    let backends: Vec<_> = config
        .backends
        .iter()
        .map(|backend| backend.name.as_str())
        .collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = %loaded.path.display(),
        listen = %listener.local_addr().map_err(Error::failed)?,
        backends = backends.join(","),
        "serving"
    );
    let stop = stop_signal()?;
    app.serve(listener, stop).await.map_err(Error::failed)
}

/// Listens on `address`; `hint` says how to choose another.
pub(super) async fn listen(address: SocketAddr, hint: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let what_to_do = match error.kind() {
            ErrorKind::AddrInUse => format!("; stop what listens there, or {hint}"),
            ErrorKind::PermissionDenied | ErrorKind::AddrNotAvailable => format!("; {hint}"),
            _ => String::new(),
        };
        Error::Failed(format!("cannot listen on {address}: {error}{what_to_do}"))
    })
}

/// Ends when the process is asked to: by SIGTERM, or by Ctrl-C.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
