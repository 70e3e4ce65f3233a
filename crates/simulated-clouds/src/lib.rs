//! Simulated clouds: they speak the clouds' wire protocols over real sockets, with the documented
//! limits and the faults that real clouds show.
//!
//! Nothing of quota-oracle is used here but the generated types of Nebius, so that a simulation
//! cannot share a mistake with the code that reads it. [`CLOUDS`] lists them for programs that
//! start them all; tests use the simulators themselves.

mod cloud;
mod key;
mod socket;

pub mod aws;
pub mod azure;
pub mod gcp;
pub mod nebius;
pub mod steering;

pub use cloud::{Cloud, ConfigurationFile, RunningCloud, Starting};

/// Every cloud that can be simulated.
pub const CLOUDS: &[Cloud] = &[aws::CLOUD, nebius::CLOUD, gcp::CLOUD, azure::CLOUD];
