//! The service and its sources, looked at from outside: stories through the front door over
//! simulated clouds, and promises about the code itself.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has failed"
)]

mod aws_protocol;
mod deploy;
mod floors;
mod offers;
