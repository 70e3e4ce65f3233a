#![doc = include_str!("../docs/architecture.md")]
// They panic where nothing can be written: `cli::output` and `telemetry::last_words` do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

// In reading order, lowest floor first.
pub mod model;

pub mod clock;
pub mod feedback;
pub mod secret;
pub mod telemetry;

pub mod catalog;
pub mod coordination;
pub mod source;
pub mod store;
pub mod upstream;

pub mod clouds;
pub mod oracle;

pub mod http;

pub mod app;
pub mod config;

pub mod cli;
