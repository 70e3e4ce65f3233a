//! Logs and metrics: how the service says what it does.

mod logs;
mod metrics;
mod settings;

pub use logs::{LogFormat, init as init_logs, last_words};
pub use metrics::{
    CatalogSample, Cause, HttpRequests, LeasesSample, Metrics, QuotaSample, QuotaSeries,
    RegionsSample, SnapshotSample, in_plain_text,
};
pub use settings::{QuotaMetrics, Settings};
