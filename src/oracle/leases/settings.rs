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
    /// The leases that are granted while the store that replicas share is away.
    pub store_away: WhileAway,
}

/// The leases that are granted while the store that replicas share is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhileAway {
    /// Unbacked ones: other replicas may grant the same room.
    #[default]
    Unbacked,
    /// None.
    Refuse,
}

impl Default for LeaseSettings {
    fn default() -> Self {
        Self {
            max_live: 20_000,
            max_ttl: Duration::from_secs(60 * 60),
            store_away: WhileAway::default(),
        }
    }
}
