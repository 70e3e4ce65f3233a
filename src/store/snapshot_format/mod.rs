//! The stored form of a snapshot: a private format, one for every kind of store.
//!
//! A snapshot outlives the release that wrote it. The rules: a new field is optional; a word that
//! this version does not know makes its row unknown and not the file unreadable; a change that
//! gives existing fields another meaning raises [`FORMAT`], and older releases then ignore the
//! file. The bytes of every format are fixtures in `fixtures/`.

mod format_2;

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{BackendName, Reading, UnitId, UnitKey};
use crate::store::StoredSnapshot;

/// The version of the format that is written.
const FORMAT: u32 = 3;

/// A decoded snapshot, and the fingerprint of the backend by which it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decoded {
    pub(super) snapshot: StoredSnapshot,
    pub(super) fingerprint: StoredFingerprint,
}

/// A fingerprint as the file's format has it; those of different formats never equal each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoredFingerprint {
    /// Of the fields that identify the account.
    Account(String),
    /// Of all settings, as format 2 has it.
    AllSettings(String),
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: u32,
    fingerprint: String,
    backend: BackendName,
    unit: UnitId,
    taken_at: Timestamp,
    reading: Arc<Reading>,
}

/// Returns the bytes of a snapshot.
pub(super) fn encode(snapshot: &StoredSnapshot, fingerprint: &str) -> io::Result<Vec<u8>> {
    let envelope = Envelope {
        format: FORMAT,
        fingerprint: fingerprint.to_owned(),
        backend: snapshot.key.backend.clone(),
        unit: snapshot.key.unit.clone(),
        taken_at: snapshot.taken_at,
        reading: Arc::clone(&snapshot.reading),
    };
    serde_json::to_vec(&envelope).map_err(io::Error::other)
}

/// Returns the snapshot in these bytes, or a sentence that says why there is none.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let in_words = |error: serde_json::Error| error.to_string();
    let Version { format } = serde_json::from_slice(bytes).map_err(in_words)?;
    let (envelope, fingerprint): (Envelope, fn(String) -> _) = match format {
        FORMAT => (
            serde_json::from_slice(bytes).map_err(in_words)?,
            StoredFingerprint::Account,
        ),
        format_2::FORMAT => {
            let file = serde_json::from_slice(bytes).map_err(in_words)?;
            let file = format_2::upgrade(file, FORMAT);
            (
                serde_json::from_value(file).map_err(in_words)?,
                StoredFingerprint::AllSettings,
            )
        }
        other => {
            return Err(format!(
                "its format is {other}, this version reads {} and {FORMAT}",
                format_2::FORMAT
            ));
        }
    };
    Ok(Decoded {
        fingerprint: fingerprint(envelope.fingerprint),
        snapshot: StoredSnapshot {
            key: UnitKey {
                backend: envelope.backend,
                unit: envelope.unit,
            },
            reading: envelope.reading,
            taken_at: envelope.taken_at,
        },
    })
}

#[cfg(test)]
mod tests;
