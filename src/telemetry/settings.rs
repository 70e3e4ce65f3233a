//! The `[telemetry]` table.

use serde::Deserialize;

/// The `[telemetry]` table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which quotas have series of their own in the metrics.
    pub quota_metrics: QuotaMetrics,
}

/// Which quotas have series of their own in the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaMetrics {
    /// All of them.
    #[default]
    All,
    /// Those that accelerator offers draw on, or a verdict of the last day.
    Demanded,
    /// None.
    Off,
}
