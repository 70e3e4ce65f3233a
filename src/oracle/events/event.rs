//! An event.

use std::sync::Arc;

use crate::model::{BackendName, Region};

/// A change of what is said of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionEvent {
    /// Its number, in ascending order.
    pub number: u64,
    /// The backend.
    pub backend: BackendName,
    /// The region.
    pub region: Region,
    /// A digest of the revision, different from that of the event before.
    pub revision: u64,
    /// The codes of the quotas that have more room than before, in order.
    pub quotas_freed: Vec<Arc<str>>,
}
