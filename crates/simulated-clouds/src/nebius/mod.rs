//! A simulated Nebius AI Cloud: all its services on one loopback port, over plaintext HTTP/2.
//!
//! It verifies what the real cloud verifies (signed JWTs, bearer tokens, page tokens), keeps a
//! rate limit per method, and fails in every way that [`Controls`] is told to.

mod account;
mod cloud;
mod control_surface;
mod controls;
mod errors;
mod fixtures;
mod gate;
mod listing;
mod metadata;
mod pages;
mod services;
mod tokens;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;

pub use crate::key::private_key_pem;
pub use account::{
    Account, Advice, Availability, AvailabilityLevel, DataState, Platform, Project, QuotaRow,
    State, UsageState,
};
pub use cloud::CLOUD;
pub use controls::{Controls, Fault, Method, Rule};
pub use gate::RateLimit;
pub use tokens::{PUBLIC_KEY_ID, SERVICE_ACCOUNT_ID};

/// Settings of a simulated Nebius.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account's contents.
    pub account: Account,
    /// The time for which an issued token is accepted.
    pub token_lifetime: Duration,
    /// Calls that each method accepts; the real limits are not documented.
    pub rate_limit: RateLimit,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: Account::demo(),
            // docs.nebius.com/grpc-api/auth: a token lives for twelve hours.
            token_lifetime: Duration::from_secs(43_200),
            rate_limit: RateLimit {
                per_second: 5.0,
                burst: 10,
            },
        }
    }
}

/// A running simulated Nebius; dropping it closes its ports.
#[derive(Debug)]
pub struct SimulatedNebius {
    address: SocketAddr,
    metadata_address: SocketAddr,
    controls: Controls,
    servers: Vec<JoinHandle<()>>,
}

impl SimulatedNebius {
    /// Starts it on free loopback ports.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let controls = Controls::new(controls::State::new(settings));
        let services = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let metadata = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = services.local_addr()?;
        let metadata_address = metadata.local_addr()?;
        let router = services::router(controls.clone());
        // A tested clock that is paused would run ahead of the kernel's wait for more to send.
        let services = TcpIncoming::from(services).with_nodelay(Some(true));
        let servers = vec![
            tokio::spawn(async move {
                // Serving ends with an error only when accepting does, and then the client tells.
                let _ = router.serve_with_incoming(services).await;
            }),
            tokio::spawn(metadata::serve(metadata, controls.clone())),
        ];
        Ok(Self {
            address,
            metadata_address,
            controls,
            servers,
        })
    }

    /// Where all gRPC services answer.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the token of a virtual machine's own service account is had.
    pub fn metadata_url(&self) -> String {
        format!("http://{}", self.metadata_address)
    }

    /// Where what is in its account is seen and changed over HTTP, below `/_sim`.
    pub fn controls_url(&self) -> String {
        // The services' own port speaks HTTP/2 alone, this one what curl and everybody speaks.
        self.metadata_url()
    }

    /// The handle on its account, faults and counters.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// The credentials file of the service account that it accepts.
    pub fn credentials_file(&self) -> String {
        tokens::credentials_file()
    }
}

impl Drop for SimulatedNebius {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}
