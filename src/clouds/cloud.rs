//! The parts that every cloud has: how it is registered, configured and connected.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use crate::model::{BackendName, Failure, NativeAnswers, Region};
use crate::secret::SecretText;
use crate::source::QuotaSource;
use crate::upstream::{RateLimit, Upstream};

/// A cloud that can be configured.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The `kind` of its backends.
    pub kind: &'static str,
    /// How fast it is called unless the operator says otherwise: its documented limit less a
    /// reserve for the account's other users.
    pub rate_limit: RateLimit,
    /// Understands the keys of its own in a `[[backends]]` table.
    pub parse: fn(toml::Table) -> Result<Arc<dyn CloudSettings>, SettingsError>,
}

/// A cloud's own keys of a `[[backends]]` table, understood.
pub trait CloudSettings: fmt::Debug + Send + Sync {
    /// The regions that the operator's choice stands for, where that is known before the cloud is
    /// read.
    fn regions(&self, choice: &RegionChoice) -> Option<Vec<Region>> {
        match choice {
            RegionChoice::Default | RegionChoice::All => None,
            RegionChoice::Listed(regions) => Some(regions.clone()),
        }
    }

    /// Returns the fields that identify the account, as far as the keys name it, none of them
    /// secret.
    ///
    /// A stored snapshot is served at the next start only if they are the same, because it may be
    /// of another account otherwise. So every key belongs here that chooses an account, and no
    /// other: a key that does not would discard all snapshots whenever it changes.
    fn account_fields(&self) -> Vec<(&'static str, String)>;

    /// Returns the environment variables by which the cloud's own library chooses the account
    /// where the keys do not, none of them secret; their values count as account fields.
    fn account_variables(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns the environment variables that say where the cloud's own tools keep their files,
    /// none of them secret.
    fn variables(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns the environment variables by which the cloud's own tools are given secrets.
    fn secret_variables(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns the text of all keys, and the variables, by which format 2 of stored snapshots
    /// identifies the account; none for clouds that came after it.
    fn format_2_identity(&self) -> Option<(String, &'static [&'static str])> {
        None
    }

    /// Returns what the backend answers in its cloud's own protocol, for a cloud whose protocol is
    /// spoken here.
    fn native_answers(&self) -> Option<NativeAnswers> {
        None
    }

    /// Returns after how long a launch shows in the usage that the cloud tells, unless the operator
    /// knows better.
    fn usage_delay(&self) -> UsageDelay {
        UsageDelay::assumed(Duration::from_secs(5 * 60))
    }

    /// Reads the secrets that the keys name, so that what is wrong is said with the key; relative
    /// paths start at `base`.
    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem>;

    /// Makes ready to read the cloud. Nothing is called yet that could fail for a while only:
    /// an error here is one that an operator has to mend.
    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>>;
}

/// The parts that a cloud is connected with, besides its own keys.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The backend's name.
    pub backend: BackendName,
    /// The regions to read.
    pub regions: RegionChoice,
    /// The road out.
    pub upstream: Upstream,
    /// Where relative paths in the settings start: the configuration file's folder.
    pub base: PathBuf,
    /// The variables that the cloud asked for, as far as they are set.
    pub variables: BTreeMap<&'static str, String>,
    /// The secret ones among them, as far as they are set.
    pub secret_variables: BTreeMap<&'static str, SecretText>,
}

/// After how long a launch shows in the usage that a cloud tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageDelay {
    /// So long at most.
    pub delay: Duration,
    /// Whether the cloud documents it.
    pub is_documented: bool,
}

impl UsageDelay {
    /// A delay that the cloud does not document.
    pub const fn assumed(delay: Duration) -> Self {
        Self {
            delay,
            is_documented: false,
        }
    }
}

/// Which regions a backend reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionChoice {
    /// The regions that the cloud enables in a new account.
    Default,
    /// All regions of the partition.
    All,
    /// These, as they are.
    Listed(Vec<Region>),
}

/// A key of a cloud's own that could not be understood.
#[derive(Clone, Debug)]
pub struct SettingsError {
    /// The key's path within the backend's table, such as `credentials.source`.
    pub path: serde_path_to_error::Path,
    /// The problem.
    pub message: String,
}

/// A secret that a cloud's key names, and that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretProblem {
    /// The way to the key within the backend's table.
    pub keys: &'static [&'static str],
    /// The problem.
    pub message: String,
}

impl SecretProblem {
    /// The problem of the secret at `keys`.
    pub fn at(keys: &'static [&'static str], message: impl fmt::Display) -> Self {
        Self {
            keys,
            message: message.to_string(),
        }
    }
}

/// Understands a cloud's keys as its settings type; the body of most [`Registration::parse`].
pub fn parse<S>(table: toml::Table) -> Result<Arc<dyn CloudSettings>, SettingsError>
where
    S: CloudSettings + DeserializeOwned + 'static,
{
    match serde_path_to_error::deserialize::<_, S>(toml::Value::Table(table)) {
        Ok(settings) => Ok(Arc::new(settings)),
        Err(error) => Err(SettingsError {
            path: error.path().clone(),
            message: error.inner().message().to_owned(),
        }),
    }
}
