//! How long answers are relied on, and where they rest.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::model::{Lifetimes, duration};
use crate::secret::SecretString;

/// The `[cache]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A younger answer is served as it is.
    #[serde(with = "duration")]
    pub fresh_for: Duration,
    /// A younger answer is served at once, marked stale and read anew behind; an older one is
    /// shown, but no verdict rests on it.
    #[serde(with = "duration")]
    pub stale_for: Duration,
    /// The folder of the snapshots that survive a restart; without it nothing does.
    pub directory: Option<PathBuf>,
    /// Where replicas share what they know. Known, so that it is refused with its reason:
    /// sharing is not built yet.
    pub redis_url: Option<SecretString>,
}

impl Settings {
    /// The ages at which an answer stops being fresh and stops being usable.
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
