//! placeholder until the configuration lands
use crate::model::Region;
use std::time::Duration;

/// How a backend is kept fresh and judged.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendSettings {
    /// Which regions are read at start.
    pub preload: Preload,
    /// How often a region is read.
    pub refresh_every: Duration,
}

/// Which regions are read at start.
#[derive(Clone, Debug, PartialEq)]
pub enum Preload {
    /// All.
    All,
    /// None.
    None,
    /// These.
    Listed(Vec<Region>),
}
