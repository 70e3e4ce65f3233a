//! The form in which replicas hand each other what they have read.
//!
//! Two releases share one store during an upgrade, so the rules are those of the snapshots on disk:
//! a new field is optional, an unknown word makes its row unknown, and another meaning is another
//! format, which older releases pass over.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use crate::model::{Capacity, Incomplete, Moment, Reading, Region};

/// The version of the form that is written.
const FORMAT: u8 = 1;

/// Fast, and a reading shrinks to a tenth.
const LEVEL: i32 = 1;

/// The largest reading that is taken over: one of 25,000 quotas has some 10 MB.
const LARGEST: usize = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Shared {
    reading: Reading,
    /// Not in the reading's own form, which is for restarts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    capacity: BTreeMap<Region, Vec<Capacity>>,
    #[serde(default)]
    incomplete: Incomplete,
}

/// Returns the bytes of a reading; `as_stored` tells the moment whose time of day is the store's.
pub fn encode(reading: &Reading, as_stored: impl Fn(Moment) -> Moment) -> io::Result<Vec<u8>> {
    let mut reading = reading.clone();
    reading.map_moments(as_stored);
    let shared = Shared {
        capacity: std::mem::take(&mut reading.capacity),
        incomplete: reading.incomplete,
        reading,
    };
    let mut bytes = vec![FORMAT];
    bytes.extend(zstd::bulk::compress(&serde_json::to_vec(&shared)?, LEVEL)?);
    Ok(bytes)
}

/// Returns the reading in these bytes, or a sentence that says why there is none; `restored` tells
/// the moment at a time of day of the store.
pub fn decode(bytes: &[u8], restored: impl Fn(Moment) -> Moment) -> Result<Reading, String> {
    let (format, bytes) = bytes.split_first().ok_or("it is empty")?;
    if *format != FORMAT {
        return Err(format!(
            "its format is {format}, this version reads {FORMAT}"
        ));
    }
    let json = zstd::bulk::decompress(bytes, LARGEST).map_err(|error| error.to_string())?;
    let shared: Shared = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    let mut reading = shared.reading;
    reading.capacity = shared.capacity;
    reading.incomplete = shared.incomplete;
    reading.map_moments(restored);
    Ok(reading)
}
