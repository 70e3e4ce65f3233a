//! The clouds, one folder each; adding one is a folder and a line in [`REGISTRY`].

pub mod aws;
pub mod nebius;

pub mod kit;

mod cloud;

pub use cloud::{
    CloudSettings, Connection, RegionChoice, Registration, SecretProblem, SettingsError,
    UsageDelay, parse,
};
pub use kit::tls::trust_ca_bundle;

/// Every cloud that a backend may be of.
pub const REGISTRY: &[Registration] = &[aws::REGISTRATION, nebius::REGISTRATION];
