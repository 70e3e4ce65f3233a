//! The moment by which a request must be answered.

use tokio::time::Instant;

/// When the request must be answered.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Deadline(pub(in crate::http) Instant);
