//! The interface by which a program starts a simulated cloud and has it read.

use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;

/// A cloud that can be simulated.
#[derive(Clone, Copy, Debug)]
pub struct Cloud {
    /// Its name, such as `AWS`.
    pub name: &'static str,
    /// Starts a simulator with its default account on free loopback ports.
    pub start: fn() -> Starting,
}

/// A simulator that is starting.
pub type Starting = Pin<Box<dyn Future<Output = io::Result<RunningCloud>> + Send>>;

/// A running simulator and how quota-oracle reads it; it stops when this is dropped.
pub struct RunningCloud {
    /// The tables of quota-oracle's configuration that this cloud needs, in TOML: its
    /// `[[backends]]` table, and tables that none of the other clouds has.
    pub configuration: String,
    /// The files that the configuration names, relative to its folder.
    pub files: Vec<ConfigurationFile>,
    /// Paths of quota-oracle that show something of this cloud.
    pub examples: Vec<&'static str>,
    /// Commands that break the cloud and mend it again, one a line; empty if there are none.
    pub fault_commands: String,
    /// The simulator, which is kept only to be dropped.
    pub simulator: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for RunningCloud {
    /// Leaves out the files, which are secrets as far as quota-oracle knows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningCloud")
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}

/// A file beside the configuration.
pub struct ConfigurationFile {
    /// Its name, without a folder.
    pub name: &'static str,
    /// Its content, often a secret that only the simulator accepts.
    pub content: String,
}

impl fmt::Debug for ConfigurationFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigurationFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
