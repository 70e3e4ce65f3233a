//! The clouds, one folder each; adding one is a folder and a line in [`REGISTRY`].

pub mod aws;
pub mod azure;
pub mod gcp;
pub mod nebius;

pub mod kit;

mod cloud;

pub use cloud::{
    CloudSettings, Connection, RegionChoice, Registration, SecretProblem, SettingsError,
    UsageDelay, parse,
};
pub use kit::tls::trust_ca_bundle;

use crate::model::Market;

/// Every cloud that a backend may be of.
pub const REGISTRY: &[Registration] = &[
    aws::REGISTRATION,
    nebius::REGISTRATION,
    gcp::REGISTRATION,
    azure::REGISTRATION,
];

/// Returns the code and name of the quota that launches of a type and market are counted by, for
/// clouds whose errors do not name it.
pub fn launch_quota(
    kind: &str,
    instance_type: &str,
    market: Market,
) -> Option<(&'static str, &'static str)> {
    match kind {
        "aws" => aws::launch_quota(instance_type, market),
        _ => None,
    }
}
