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
    /// The address at which replicas share snapshots. Accepted here only to be refused with a
    /// reason: sharing is not built yet.
    pub redis_url: Option<SecretString>,
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
        }
    }
}
