//! The end of a command, and what it prints.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::model::{printable, printable_lines};

/// The reason why a command failed.
#[derive(Debug)]
pub(super) enum Error {
    /// It was tried and failed.
    Failed(String),
    /// The arguments or the configuration are wrong.
    Usage(String),
    /// The configuration is wrong: each mistake as a sentence.
    Mistakes(Vec<String>),
}

impl Error {
    pub(super) fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub(super) fn usage(error: impl fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Whether somebody still reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    There,
    /// It went away, as `head` does, which is no failure.
    Gone,
}

/// Prints to standard output, on a terminal without what that would obey.
pub(super) fn print(text: &str) -> Result<(), Error> {
    match io::stdout().is_terminal() {
        true => print_painted(&printable_lines(text)),
        false => print_painted(text),
    }
}

/// The same for a text whose colours a terminal is meant to obey.
pub(super) fn print_painted(text: &str) -> Result<(), Error> {
    write(text).map(|_| ())
}

/// The same for a command that prints more later, unless its reader has gone.
pub(super) fn write(text: &str) -> Result<Reader, Error> {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let mut output = io::stdout().lock();
    let written = write!(output, "{text}{newline}").and_then(|()| output.flush());
    match written {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Error::failed(error)),
    }
}

/// Says a sentence on standard error while the command goes on.
pub(super) fn complain(sentence: &str) {
    // Where nobody listens, nobody is told.
    let _ = writeln!(io::stderr(), "quota-oracle: {}", printable(sentence));
}
