//! The metrics of a process: what is counted as it happens, and what is looked at for a scrape.

mod families;
mod plain_text;
mod process;
mod quota_series;
mod recording;
mod scrape;

use std::sync::Arc;

use parking_lot::Mutex;

use prometheus_client::registry::Registry;

pub use plain_text::in_plain_text;
pub use quota_series::{QuotaSample, QuotaSeries};
pub use recording::{Cause, HttpRequests};
pub use scrape::{CatalogSample, LeasesSample, RegionsSample, SnapshotSample};

use families::Families;

/// All metrics of a process; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    families: Families,
    /// Held while the gauges are rewritten and encoded, so that two scrapes do not mix.
    scrape: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("quota_oracle");
        let families = Families::registered_in(&mut registry);
        Self(Arc::new(Inner {
            registry,
            families,
            scrape: Mutex::new(()),
        }))
    }
}
