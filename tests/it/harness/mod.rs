//! The harness of the stories: a simulated AWS, the service in front of it, and its callers.
//!
//! Most stories run on tokio's paused clock, where minutes pass in milliseconds although real
//! sockets are used; see [`time`].

mod answer;
mod binary;
mod other_aws;
mod programs;
mod scripted;
mod service;
mod setup;
mod store_server;
mod time;
mod tls_front;

use simulated_clouds::aws::{Controls, Filter, Settings, SimulatedAws};

pub(crate) use answer::Answer;
pub(crate) use binary::{Process, run, run_into};
pub(crate) use other_aws::{AWS_JSON, OtherAws, Words};
pub(crate) use programs::{nginx, redis_server, valkey_server};
pub(crate) use service::Service;
pub(crate) use setup::{ConfigFile, Setup};
pub(crate) use store_server::{Engine, StoreServer, free_port};
pub(crate) use time::{eventually, let_time_pass};
pub(crate) use tls_front::TlsFront;

/// The first account of the simulated AWS, in which most stories play.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The P instances' on-demand quota.
pub(crate) const P: &str = "L-417A185B";

/// The quotas that are read of every region: 19 of vCPUs, elastic IPs and gp3 storage.
pub(crate) const QUOTAS_OF_A_REGION: u64 = 21;

/// A simulated AWS that answers at once and keeps to the documented limits.
pub(crate) async fn plain_aws() -> SimulatedAws {
    SimulatedAws::start(Settings::plain()).await.unwrap()
}

/// The calls that have come in, of one operation.
pub(crate) fn calls(aws: &Controls, operation: &str) -> u64 {
    aws.calls(&Filter::any().operation(operation))
}

/// All calls that have come in.
pub(crate) fn all_calls(aws: &Controls) -> u64 {
    aws.calls(&Filter::any())
}

/// All calls that AWS has found too many.
pub(crate) fn throttled(aws: &Controls) -> u64 {
    aws.throttled(&Filter::any())
}
