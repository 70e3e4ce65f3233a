//! `serve`: runs the service.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;

use crate::app::App;
use crate::clock::Clock;
use crate::secret;

use super::config_file::ConfigFile;
use super::output::Error;
use super::signals::Signals;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn run(
    config: Option<PathBuf>,
    arguments: Arguments,
    signals: Signals,
) -> Result<ExitCode, Error> {
    let loaded = arguments.config.load(config)?;
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
    let (stop, again, hangup) = signals.split();
    tokio::select! {
        served = app.serve(listener, stop) => served.map_err(Error::failed)?,
        () = go_on_at(hangup) => {}
        code = again => {
            tracing::warn!("stopped at once, by a second signal");
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Goes on at a SIGHUP, which `ExecReload=kill -HUP` of a service manager sends, and a terminal
/// that is closed, and reads secrets again. Never returns.
async fn go_on_at(mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        secret::reload();
        tracing::info!("SIGHUP: secrets are read again; the configuration is read at start only");
    }
    std::future::pending().await
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
