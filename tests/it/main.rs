//! The service and its sources, looked at from outside.

mod deploy;
mod floors;
