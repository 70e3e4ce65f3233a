//! A simulated Google Cloud: its token service, a virtual machine's metadata server, Compute
//! Engine, Cloud Quotas and Cloud Monitoring on one loopback port.
//!
//! It verifies what the real cloud verifies (signed assertions, bearer tokens, projects, the
//! fields and filters that are asked for), counts calls in windows that begin with the minute, and
//! fails in every way that [`Controls`] is told to.

mod access;
mod cloud;
mod compute;
mod control_surface;
mod controls;
mod errors;
mod fields;
mod fixtures;
mod gate;
mod monitoring;
mod project;
mod quota_infos;
mod server;
mod tokens;
mod windows;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use cloud::CLOUD;
use controls::State;
pub use controls::{Controls, Fault, Method, Rule};
pub use project::{Metric, Project, QuotaInfo, RegionState, Series, SeriesMetric, ValueRow};
pub use tokens::{CLIENT_EMAIL, PRIVATE_KEY_ID};
pub use windows::WindowLimits;

/// Settings of a simulated Google Cloud.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project's contents.
    pub project: Project,
    /// The time for which an issued token is accepted.
    pub token_lifetime: Duration,
    /// Calls that each group of methods accepts in a minute.
    pub limits: WindowLimits,
    /// Regions on a page, at most.
    pub page_size: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            project: Project::demo(),
            token_lifetime: Duration::from_secs(3599),
            limits: WindowLimits::documented(),
            page_size: 500,
        }
    }
}

/// A running simulated Google Cloud; dropping it closes its port.
#[derive(Debug)]
pub struct SimulatedGcp {
    address: SocketAddr,
    controls: Controls,
    server: JoinHandle<()>,
}

impl SimulatedGcp {
    /// Starts it on a free loopback port.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let controls = Controls::new(State::new(settings, format!("http://{address}/token")));
        let router = server::router(controls.clone());
        let server = tokio::spawn(async move {
            // Serving ends with an error only when accepting does, and then the client tells.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            controls,
            server,
        })
    }

    /// Where all its services answer.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where keys are exchanged for access tokens.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.url())
    }

    /// The handle on its project, faults and counters.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// The key file of the service account that it accepts.
    pub fn key_file(&self) -> String {
        tokens::key_file(&self.controls.state().project.id, &self.token_url())
    }

    /// The file of a person who is logged in.
    pub fn authorized_user_file(&self) -> String {
        tokens::authorized_user_file(&self.controls.state().project.id)
    }
}

impl Drop for SimulatedGcp {
    fn drop(&mut self) {
        self.server.abort();
    }
}
