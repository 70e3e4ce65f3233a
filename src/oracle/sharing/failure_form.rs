//! The form in which replicas hand each other the failure of a read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::coordination::{StoreStatus, StoreTime};
use crate::model::{Failure, FailureRecord};

#[derive(Serialize, Deserialize)]
struct SharedFailure {
    failure: Failure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    at: StoreTime,
    in_a_row: u32,
    next_try: StoreTime,
}

/// Returns the bytes of a failure.
pub(super) fn encode(record: &FailureRecord, status: &StoreStatus) -> Vec<u8> {
    let asked = record.failure.retry_after;
    let shared = SharedFailure {
        failure: record.failure.clone(),
        retry_after_ms: asked.map(|asked| u64::try_from(asked.as_millis()).unwrap_or(u64::MAX)),
        at: status.time(record.at),
        in_a_row: record.in_a_row,
        next_try: status.time(record.next_try),
    };
    serde_json::to_vec(&shared).unwrap_or_default()
}

/// Returns the failure in these bytes; nothing if this release cannot read them.
pub(super) fn decode(bytes: &[u8], status: &StoreStatus) -> Option<FailureRecord> {
    let shared: SharedFailure = serde_json::from_slice(bytes).ok()?;
    Some(FailureRecord {
        failure: Failure {
            retry_after: shared.retry_after_ms.map(Duration::from_millis),
            ..shared.failure
        },
        at: status.moment(shared.at),
        in_a_row: shared.in_a_row,
        next_try: status.moment(shared.next_try),
    })
}
