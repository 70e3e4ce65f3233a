//! Structured logs: text on a terminal, JSON lines elsewhere.

mod queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use queue::Queue;

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

/// The lines of this process.
static QUEUE: Queue = Queue::new();

/// Set once a thread writes what is queued.
static STARTED: OnceLock<()> = OnceLock::new();

/// The longest that an ending process waits for its last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The longest that a thread that panics waits for its line to be written.
const LINE_OF_A_PANIC: Duration = Duration::from_millis(100);

/// One write is one line.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        QUEUE.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number of log lines that could not be written.
pub(super) fn lost_lines() -> u64 {
    QUEUE.lost()
}

/// Writes a line to standard error after all that were logged, and waits for it, but never long: a
/// reader that reads nothing keeps no process from ending.
pub fn last_words(line: Option<&str>) {
    let line = line.map(|line| format!("{line}\n"));
    let line = line.as_ref().map(String::as_bytes);
    if STARTED.get().is_some() {
        line.into_iter().for_each(|line| QUEUE.push(line));
        QUEUE.flush(LAST_LINES);
    } else if let Some(line) = line {
        // Where it fails there is nowhere to say so.
        let _ = io::stderr().write_all(line);
    }
}

fn start_writing() {
    STARTED.get_or_init(|| {
        let tell = |lost| tracing::warn!(lost, "log lines could not be written");
        // Without a thread the log is lost, which the metrics tell; the service is not.
        let _ = QUEUE.write_to(io::stderr(), tell);
    });
}

/// Starts logging to standard error, filtered by `RUST_LOG` or else by `level`.
///
/// Standard output stays free for answers. A second call changes nothing.
pub fn init(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Lines)
        // Otherwise it prints, and panics where that fails.
        .log_internal_errors(false)
        .with_span_events(FmtSpan::NONE);
    let result = match format {
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    match result {
        Ok(()) => {
            start_writing();
            std::panic::set_hook(Box::new(log_panic));
        }
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
    // The process may end with this thread.
    QUEUE.flush(LINE_OF_A_PANIC);
}
