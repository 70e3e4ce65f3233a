//! The bounds of leases.

use std::time::Duration;

use serde::Deserialize;

use crate::model::duration;

/// The `[leases]` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeaseSettings {
    /// The most leases that live at once.
    pub max_live: usize,
    /// The longest time for which a lease is taken or renewed.
    #[serde(with = "duration")]
    pub max_ttl: Duration,
}

impl Default for LeaseSettings {
    fn default() -> Self {
        Self {
            max_live: 20_000,
            max_ttl: Duration::from_secs(60 * 60),
        }
    }
}
