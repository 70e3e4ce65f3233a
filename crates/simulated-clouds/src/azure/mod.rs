//! A simulated Azure: its authority, the metadata of a virtual machine and of App Service, and
//! Azure Resource Manager on one loopback port.
//!
//! It verifies what the real cloud verifies (secrets, signed assertions, bearer tokens, versions,
//! paths in any case), keeps the rate limits of Resource Manager and of the compute provider, and
//! fails in every way that [`Controls`] is told to.

mod cloud;
mod control_surface;
mod controls;
mod credentials;
mod errors;
mod fixtures;
mod gate;
mod identity;
mod pages;
mod request;
mod server;
mod sign_in;
mod sign_in_errors;
mod size;
mod skus;
mod subscription;
mod throttling;
mod usages;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use controls::State;
use credentials::Credentials;

pub use cloud::CLOUD;
pub use controls::{Controls, Fault, Method, Rule};
pub use credentials::{
    CLIENT_ID, CLIENT_SECRET, IDENTITY_CLIENT_ID, IDENTITY_HEADER, SUBSCRIPTION_ID, TENANT_ID,
};
pub use size::Size;
pub use subscription::{
    FamilyCategory, LocationState, Reason, Restriction, Subscription, UsageRow,
};
pub use throttling::{ComputeLimit, ResourceManagerLimit};

/// Settings of a simulated Azure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The subscription's contents.
    pub subscription: Subscription,
    /// The time for which an issued token is accepted.
    pub token_lifetime: Duration,
    /// Reads that Resource Manager accepts.
    pub resource_manager: ResourceManagerLimit,
    /// Calls of one kind that the compute provider accepts in a location.
    pub compute: ComputeLimit,
    /// Rows on a page of usages; Azure has not been seen to page them.
    pub page_size: Option<usize>,
    /// Rows of other resource types among the sizes, which make the list as large as a real one.
    pub other_resources: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            subscription: Subscription::demo(),
            token_lifetime: Duration::from_secs(3599),
            resource_manager: ResourceManagerLimit::documented(),
            compute: ComputeLimit::assumed(),
            page_size: None,
            other_resources: 600,
        }
    }
}

/// A running simulated Azure; dropping it closes its port.
#[derive(Debug)]
pub struct SimulatedAzure {
    address: SocketAddr,
    controls: Controls,
    server: JoinHandle<()>,
}

impl SimulatedAzure {
    /// Starts it on a free loopback port.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let controls = Controls::new(State::new(settings, format!("http://{address}")));
        let server = tokio::spawn(server::serve(listener, controls.clone()));
        Ok(Self {
            address,
            controls,
            server,
        })
    }

    /// Where all its services answer: the management endpoint, the authority and the metadata.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The handle on its subscription, faults and counters.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// The certificate that is registered with the application, and its private key, in PEM.
    pub fn certificate_file(&self) -> &'static str {
        Credentials::certificate_file()
    }

    /// Where App Service hands out tokens: the value of `IDENTITY_ENDPOINT`.
    pub fn identity_endpoint(&self) -> String {
        format!("{}{}", self.url(), identity::APP_SERVICE_PATH)
    }
}

impl Drop for SimulatedAzure {
    fn drop(&mut self) {
        self.server.abort();
    }
}
