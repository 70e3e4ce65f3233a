//! The commands that ask a running service, and show what it answers.
//!
//! Each asks for JSON and makes its own table of it, so that it fits the terminal. What a newer
//! service says besides is left out, and what an older one does not say is not needed.

mod answers;
mod changes;
mod gpu;
mod service;

pub(super) mod leases;
pub(super) mod offers;
pub(super) mod plan;
pub(super) mod quotas;
pub(super) mod refresh;
pub(super) mod status;
pub(super) mod verify;
pub(super) mod watch;

use clap::Args;

use super::output::{Error, print, print_painted};
use super::screen::Screen;

use service::Answer;
pub(super) use service::Service;

/// The form of what is printed.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Form {
    /// Print the answer as it came
    #[arg(long)]
    json: bool,
    /// Print all columns, however wide the table
    #[arg(long, conflicts_with = "json")]
    wide: bool,
}

impl Form {
    /// Prints an answer: as it came, or as `render` shows it.
    fn show(
        self,
        answer: &Answer,
        render: impl FnOnce(&Screen) -> Result<String, Error>,
    ) -> Result<(), Error> {
        match self.json {
            true => print(&answer.text),
            false => print_painted(&render(&Screen::of_process(self.wide))?),
        }
    }
}

/// Ends with 0 if the service is ready.
pub(super) async fn healthcheck(service: Service) -> Result<(), Error> {
    match service.readiness().await? {
        Ok(()) => Ok(()),
        Err(answer) => Err(Error::Failed(format!("not ready: {answer}"))),
    }
}
