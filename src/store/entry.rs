//! What is known of one fetch unit.

use std::sync::Arc;

use crate::model::{FailureRecord, Moment, Reading};

/// The last good answer and the failures since, never one in place of the other.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The last good answer.
    pub good: Option<Good>,
    /// The last failure, if it came after the last good answer.
    pub last_failure: Option<FailureRecord>,
    /// Different for every change of any entry: what was rendered from one version says the same
    /// as long as the version stays.
    pub version: u64,
}

/// A good answer and when it was given.
#[derive(Clone, Debug)]
pub struct Good {
    /// The answer.
    pub reading: Arc<Reading>,
    /// When it was given.
    pub taken_at: Moment,
}
