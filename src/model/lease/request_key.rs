//! Keys of requests that may be repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The key of a request that may be repeated and takes one lease at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestKey {
    /// The name of whoever asks; each has keys of its own.
    pub caller: String,
    /// The key that the caller chose.
    pub key: String,
    /// A digest of the request, by which another one with the same key is told apart.
    pub digest: String,
}

impl RequestKey {
    /// A key is kept for so long after its lease has ended, since a caller may repeat a request
    /// whose answer was lost.
    pub const KEPT_AFTER_THE_END: Duration = Duration::from_secs(10 * 60);
}
