//! How long snapshots are usable, and where they are stored.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::model::{Lifetimes, duration};
use crate::secret::SecretString;

/// The `[cache]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The age below which a snapshot is fresh.
    #[serde(with = "duration")]
    pub fresh_for: Duration,
    /// The age below which a snapshot is at least stale: served at once, marked, and refreshed in
    /// the background. An older one is expired: shown, but no verdict rests on it.
    #[serde(with = "duration")]
    pub stale_for: Duration,
    /// The directory of snapshots; without it, a restart starts cold.
    pub directory: Option<PathBuf>,
    /// The address of the store that replicas share, without a password.
    pub redis_url: Option<SecretString>,
    /// The file of that address, which may hold a user and a password.
    pub redis_url_file: Option<PathBuf>,
    /// The file of the password alone, beside an address without one.
    pub redis_password_file: Option<PathBuf>,
    /// The beginning of all keys in that store.
    pub redis_prefix: String,
    /// The most replicas that there may be, by which rates are divided while that store is away.
    pub max_replicas: u32,
}

impl Settings {
    /// Returns the ages at which a snapshot stops being fresh and stops being usable.
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            fresh_for: self.fresh_for,
            stale_for: self.stale_for,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fresh_for: Duration::from_secs(5 * 60),
            stale_for: Duration::from_secs(60 * 60),
            directory: None,
            redis_url: None,
            redis_url_file: None,
            redis_password_file: None,
            redis_prefix: "quota-oracle:".to_owned(),
            max_replicas: 4,
        }
    }
}
