//! The service and its sources, looked at from outside.

mod aws_protocol;
mod deploy;
mod floors;
