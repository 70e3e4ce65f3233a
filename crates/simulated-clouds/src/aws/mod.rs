//! A simulated AWS: Service Quotas and the part of STS that leads to it, on one loopback address.
//!
//! All regions share one endpoint URL, as with `AWS_ENDPOINT_URL`: the region is read from the
//! SigV4 credential scope and the account from the access key id. What it knows:
//!
//! - `GetServiceQuota`, `ListServiceQuotas`, their `AWSDefault` twins and `ListServices`, over a
//!   catalogue of more than 1,500 quotas, with AWS's pages, errors and missing values;
//! - `StartQuotaUtilizationReport` and `GetQuotaUtilizationReport` with a report's whole life;
//! - STS `GetCallerIdentity` and `AssumeRole`, whose temporary keys work and expire;
//! - the documented rate limits, one token bucket for each account, region and operation.
//!
//! Every other Service Quotas operation is refused as to a caller who may only read.
//!
//! # Steering
//!
//! In the same process through [`Controls`]; from anywhere else as JSON over HTTP:
//!
//! | request | does |
//! |---|---|
//! | `GET /_sim/calls?account=&region=&operation=` | counts calls, throttled calls and the highest concurrency |
//! | `DELETE /_sim/calls` | counts from zero again |
//! | `GET /_sim/log?last=100` | the latest calls, oldest first |
//! | `GET /_sim/accounts` | accounts, their access key ids, roles and enabled regions |
//! | `GET /_sim/quotas?account=&region=` | limit and usage of every metered quota |
//! | `POST /_sim/limit` `{"region", "code", "value"}` | sets an applied value; `null`: AWS has none |
//! | `POST /_sim/usage` `{"region", "code", "value"}` | sets what is in use |
//! | `POST /_sim/error_reason` `{"region", "code", "value"}` | answers with this `ErrorReason` code; `null`: no more |
//! | `POST /_sim/launch`, `/_sim/terminate` `{"region", "code", "value"}` | takes and gives back; 409 in EC2's words when it does not fit |
//! | `POST /_sim/fault` `{"kind", "account", "region", "operation", "times"}` | adds a fault, see [`FaultKind`]; all but `kind` optional |
//! | `GET /_sim/faults`, `DELETE /_sim/faults` | lists the faults; removes them all |
//! | `POST /_sim/latency` `{"fixed_ms", "jitter_ms"}` | slows every answer |
//!
//! Each of the quota requests also takes `"account"`, which otherwise is the first one. Try
//! `curl -d '{"kind": "throttle", "region": "us-east-1"}' $URL/_sim/fault`.

mod cloud;
mod settings;

mod control_surface;
mod controls;
mod server;

mod state;

mod identities;
mod request;
mod signature;

mod buckets;
mod call_log;
mod faults;

mod accounts;
mod catalogue;
mod fixtures;
mod paging;
mod quotas;
mod reports;
mod sts;

mod error;
mod response;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use accounts::LaunchRefused;
pub use buckets::{BurstReading, Lockout, RateLimit, RateLimits};
pub use call_log::{Call, CallKey, Filter};
pub use cloud::CLOUD;
pub use controls::{Controls, NoSuchQuota};
pub use faults::{Fault, FaultKind};
pub use fixtures::DEFAULT_REGIONS;
pub use settings::{Account, Latency, QuotaSeed, ReportTiming, Role, Settings};

/// A running simulated AWS, which stops when it is dropped.
#[derive(Debug)]
pub struct SimulatedAws {
    address: SocketAddr,
    controls: Controls,
    /// Dropping it is the stop signal: the listener closes, hanging calls are cut off.
    _running: watch::Sender<()>,
}

impl SimulatedAws {
    /// Starts on a free port of the loopback address.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start_on(listener, settings)
    }

    /// Starts on a listener of the caller's, for example to come back on an earlier port.
    pub fn start_on(listener: TcpListener, settings: Settings) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (running, stop) = watch::channel(());
        let controls = Controls::new(settings);
        tokio::spawn(server::serve(listener, controls.clone(), stop));
        Ok(Self {
            address,
            controls,
            _running: running,
        })
    }

    /// The endpoint URL for every service and region.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The handle that changes and observes it while it runs.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }
}
