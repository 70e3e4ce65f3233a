//! The service and its sources, looked at from outside: stories through the front door over
//! simulated clouds, and promises about the code itself.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has failed"
)]

mod aws;
mod aws_protocol;
mod azure;
mod browsers;
mod certificates;
mod clocks;
mod command_line;
mod connections;
mod corporate;
mod crowds;
mod deploy;
mod environment;
mod events;
mod fake_cloud;
mod feedback;
mod floors;
mod freshness;
mod gcp;
mod heads;
mod heavy;
mod killed;
mod leases;
mod log_sinks;
mod logs;
mod nebius;
mod negotiation;
mod offers;
mod outages;
mod placed;
mod places;
mod problems;
mod programs;
mod readiness;
mod regions;
mod renewed_secrets;
mod replicas;
mod secret_files;
mod secrets;
mod sessions;
mod snapshots;
mod stopping;
mod terminals;
mod tokens;
mod warm;
mod wordings;

mod harness;
