//! The flag for the configuration file.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, Loaded};

use super::output::Error;

#[derive(Args, Debug)]
pub(super) struct ConfigFile {
    /// The configuration file; without it $QUOTA_ORACLE_CONFIG, ./config/quota-oracle.toml or
    /// /etc/quota-oracle/quota-oracle.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// Loads the configuration; `before` is the file that was named before the command.
    pub(super) fn load(self, before: Option<PathBuf>) -> Result<Loaded, Error> {
        let path = match (self.config, before) {
            (Some(_), Some(_)) => {
                return Err(Error::usage("`--config` is given twice; give it once"));
            }
            (one, other) => one.or(other),
        };
        config::load(path.as_deref(), config::environment())
            .map_err(|error| Error::Mistakes(error.explained().collect()))
    }
}
