//! How fast a cloud may be called: what it documents, and what the operator allows.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// A cloud's operation and the limit that the cloud documents for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// The cloud's name of it.
    pub name: &'static str,
    /// The documented limit.
    pub documented: Rate,
}

/// A sustained rate and the calls that may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Calls a second, sustained.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: NonZeroU32,
}

/// What the operator allows per account, region and operation.
///
/// An operation runs at the lower of this and its documented limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls a second, sustained.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: NonZeroU32,
    /// Calls under way at once.
    pub concurrency: NonZeroU32,
}
