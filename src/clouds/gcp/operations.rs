//! The operations of Google Cloud that are called, and how often they may be.

use std::num::NonZeroU32;

use crate::upstream::{Operation, Rate};

/// A limit of so many calls a minute and project, in windows that begin with the minute.
///
/// Spread over the minute, with a burst that leaves most of a window.
const fn per_minute(calls: u32, name: &'static str) -> Operation {
    Operation {
        name,
        documented: Rate {
            per_second: calls as f64 / 60.0,
            burst: NonZeroU32::new(100).expect("100 is not zero"),
        },
    }
}

// Compute Engine's documentation of API rate limits: regions.list counts as a list request,
// regions.get and projects.get as read requests.
pub(super) const LIST_REGIONS: Operation = per_minute(1500, "compute/regions.list");
pub(super) const GET_REGION: Operation = per_minute(1500, "compute/regions.get");
pub(super) const GET_PROJECT: Operation = per_minute(1500, "compute/projects.get");

/// ReadRequestsPerMinutePerProject of Cloud Quotas.
pub(super) const GET_QUOTA_INFO: Operation = per_minute(1200, "cloudquotas/quotaInfos.get");

/// The limit of Cloud Monitoring is not documented; 6000 a minute are seen.
pub(super) const LIST_TIME_SERIES: Operation = per_minute(1200, "monitoring/timeSeries.list");

// Neither service documents a limit; a token lives for an hour.
pub(super) const EXCHANGE_TOKEN: Operation = per_minute(60, "oauth2/token");
pub(super) const METADATA_TOKEN: Operation = per_minute(60, "metadata/token");
