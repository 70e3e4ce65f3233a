//! The parts of Google's answers that are read, as they are spelled in JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A page of `compute.regions.list`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegionPage {
    #[serde(default)]
    pub(super) items: Vec<RegionRow>,
    pub(super) next_page_token: Option<String>,
}

/// A region of Compute Engine with its quotas.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegionRow {
    pub(super) name: String,
    #[serde(default)]
    pub(super) quotas: Vec<MetricRow>,
    /// Says that the region's quotas could not be loaded, so that some or all are left out.
    pub(super) quota_status_warning: Option<QuotaStatusWarning>,
}

/// A warning beside a region's quotas.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct QuotaStatusWarning {
    /// An open list of words, such as `QUOTA_INFO_UNAVAILABLE`.
    pub(super) code: Option<String>,
}

/// A project of Compute Engine with its global quotas.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ProjectRow {
    #[serde(default)]
    pub(super) quotas: Vec<MetricRow>,
}

/// A quota of Compute Engine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct MetricRow {
    /// An open list of words, such as `NVIDIA_L4_GPUS`.
    #[serde(default)]
    pub(super) metric: String,
    pub(super) limit: Option<f64>,
    pub(super) usage: Option<f64>,
}

/// A quota of Cloud Quotas with its values for all regions and families.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct QuotaInfo {
    pub(super) quota_id: String,
    pub(super) is_fixed: bool,
    pub(super) quota_increase_eligibility: Option<IncreaseEligibility>,
    pub(super) service_request_quota_uri: Option<String>,
    pub(super) dimensions_infos: Vec<DimensionsInfo>,
}

/// Whether the project may ask for more.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct IncreaseEligibility {
    pub(super) is_eligible: bool,
}

/// The value of a quota for some dimensions, in some regions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DimensionsInfo {
    /// Such as `region` and `gpu_family`; what is not named is any.
    pub(super) dimensions: BTreeMap<String, String>,
    /// Absent where the value is not known.
    pub(super) details: Option<QuotaDetails>,
    pub(super) applicable_locations: Vec<String>,
}

/// A value of a quota.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct QuotaDetails {
    /// A 64-bit integer, which JSON has as text; proto3 leaves a zero out.
    pub(super) value: Option<IntegerText>,
}

/// A 64-bit integer: Google writes text, and accepts numbers as well.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum IntegerText {
    Text(String),
    Number(i64),
}

impl IntegerText {
    /// Returns the number, if it is one.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

/// A page of `monitoring.projects.timeSeries.list`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TimeSeriesPage {
    pub(super) time_series: Vec<TimeSeries>,
    pub(super) next_page_token: Option<String>,
}

/// The values of a metric over time.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TimeSeries {
    pub(super) metric: Labelled,
    pub(super) resource: Labelled,
    /// Newest first.
    pub(super) points: Vec<Point>,
}

/// A metric or a resource, told from others by its labels.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Labelled {
    pub(super) labels: BTreeMap<String, String>,
}

/// A value at a time.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Point {
    pub(super) interval: Interval,
    pub(super) value: PointValue,
}

/// The time of a point.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interval {
    pub(super) end_time: jiff::Timestamp,
}

/// A point's value.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PointValue {
    pub(super) int64_value: Option<IntegerText>,
}

/// A refusal of any of the services.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) error: RefusalBody,
}

/// What a refusal says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RefusalBody {
    pub(super) message: String,
    /// The word of google.rpc.Code, such as `PERMISSION_DENIED`.
    pub(super) status: String,
    /// Compute Engine's older reasons.
    pub(super) errors: Vec<OldReason>,
    pub(super) details: Vec<Detail>,
}

/// An older reason, such as `rateLimitExceeded`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OldReason {
    pub(super) reason: String,
}

/// A detail of a refusal; one of google.rpc.ErrorInfo has a reason.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    pub(super) reason: String,
    pub(super) metadata: BTreeMap<String, String>,
}
