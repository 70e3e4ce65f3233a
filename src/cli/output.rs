//! The end of a command, and what it prints.

use std::fmt;

use crate::model::printable_lines;

/// The reason why a command failed.
#[derive(Debug)]
pub(super) enum Error {
    /// It was tried and failed.
    Failed(String),
    /// The arguments or the configuration are wrong.
    Usage(String),
}

impl Error {
    pub(super) fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub(super) fn usage(error: impl fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Prints to standard output, on a terminal without what that would obey; a reader that went away,
/// such as `head`, is no failure.
pub(super) fn print(text: &str) -> Result<(), Error> {
    use std::io::{ErrorKind, IsTerminal, Write};
    let text = match std::io::stdout().is_terminal() {
        true => printable_lines(text),
        false => text.into(),
    };
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(std::io::stdout(), "{text}{newline}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::failed(error)),
        _ => Ok(()),
    }
}
