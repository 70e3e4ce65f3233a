//! The notices of other replicas, as the channel carries them.

use serde::{Deserialize, Serialize};

use super::keys::Keys;
use crate::coordination::{LeaseEntry, LedgerChanges, LedgerVersion, Notice, StoreTime};

/// A notice in the channel. Numbers are texts, since scripts have no integers of 64 bits. One of a
/// kind that this release does not know is passed over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    /// The replica that sent it.
    pub(super) by: String,
    #[serde(flatten)]
    pub(super) what: What,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum What {
    Unit {
        unit: String,
        version: i64,
    },
    Launch {
        launch: String,
    },
    Leases {
        generation: String,
        from: String,
        number: String,
        entries: Vec<(String, String, String)>,
    },
    Hurry {
        unit: String,
        priority: u8,
    },
    Ended {
        unit: String,
    },
}

/// Reads a notice of another replica.
pub(super) fn parse(bytes: &[u8], me: &str, keys: &Keys) -> Option<Notice> {
    let sent: Sent = serde_json::from_slice(bytes).ok()?;
    if sent.by == me {
        return None;
    }
    Some(match sent.what {
        What::Unit { unit, version } => Notice::Unit(keys.parse_unit(&unit)?, version),
        What::Launch { launch } => Notice::Launch(launch),
        What::Ended { unit } => Notice::Ended(keys.parse_unit(&unit)?),
        What::Hurry { unit, priority } => Notice::Hurry(keys.parse_unit(&unit)?, priority),
        What::Leases {
            generation,
            from,
            number,
            entries,
        } => {
            let version = |number: &str| {
                Some(LedgerVersion {
                    generation: StoreTime(generation.parse().ok()?),
                    number: number.parse().ok()?,
                })
            };
            let entry = |(id, ends, lease): (String, String, String)| {
                let ends = StoreTime(ends.parse().ok()?);
                Some(LeaseEntry { id, ends, lease })
            };
            Notice::Leases(
                version(&from)?,
                LedgerChanges {
                    version: version(&number)?,
                    is_all: false,
                    entries: entries.into_iter().map(entry).collect::<Option<_>>()?,
                },
            )
        }
    })
}
