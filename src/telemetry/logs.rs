//! Structured logs: text on a terminal, JSON lines elsewhere.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl LogFormat {
    /// Text if standard error is a terminal, JSON otherwise.
    pub fn for_standard_error() -> Self {
        if std::io::stderr().is_terminal() {
            Self::Text
        } else {
            Self::Json
        }
    }
}

/// Libraries whose warnings are dumps of their own structures; whatever they fail in is told by us,
/// once and in a sentence.
const QUIET: &str = "aws_config=error,aws_runtime=error,aws_credential_types=error,\
                     aws_smithy_runtime=error,aws_smithy_runtime_api=error,\
                     aws_smithy_http_client=error,aws_sdk_sts=error";

/// Starts logging to standard error, filtered by `RUST_LOG` or else by `level`.
///
/// Standard output stays free for answers. A second call changes nothing.
pub fn init(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE);
    let result = match format {
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    match result {
        Ok(()) => std::panic::set_hook(Box::new(log_panic)),
        Err(_) => tracing::debug!("logging was already started"),
    }
}

/// A panic is a line like any other, within the spans that it happened in: Rust's own would be
/// text among JSON, and would not say in which request.
fn log_panic(panic: &PanicHookInfo<'_>) {
    // Captured if `RUST_BACKTRACE` says so.
    let backtrace = Backtrace::capture();
    let is_captured = backtrace.status() == BacktraceStatus::Captured;
    tracing::error!(
        location = panic.location().map(tracing::field::display),
        backtrace = is_captured.then(|| tracing::field::display(&backtrace)),
        "panicked: {}",
        panic.payload_as_str().unwrap_or("without words")
    );
}
