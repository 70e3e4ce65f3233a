//! The calls that are made, each with the limit that AWS documents for it.
//!
//! Limits: AWS Service Quotas User Guide, "Quotas for Service Quotas" (reference_limits), per
//! account and region, not adjustable, each operation a bucket of its own.

use std::num::NonZeroU32;

use crate::upstream::{Operation, Rate};

/// 5 a second, 5 more at once.
pub(super) const GET_SERVICE_QUOTA: Operation = operation("GetServiceQuota", 5.0, 5);

/// 5 a second, 5 more at once.
pub(super) const GET_AWS_DEFAULT_SERVICE_QUOTA: Operation =
    operation("GetAWSDefaultServiceQuota", 5.0, 5);

/// 10 a second, 10 more at once.
pub(super) const LIST_SERVICE_QUOTAS: Operation = operation("ListServiceQuotas", 10.0, 10);

/// No limit is documented for the utilization report: starting one is kept to the lowest that is
/// documented for any operation of the service, 1 a second.
pub(super) const START_QUOTA_UTILIZATION_REPORT: Operation =
    operation("StartQuotaUtilizationReport", 1.0, 1);

/// No limit is documented; kept to that of the other reads of one thing.
pub(super) const GET_QUOTA_UTILIZATION_REPORT: Operation =
    operation("GetQuotaUtilizationReport", 5.0, 5);

const fn operation(name: &'static str, per_second: f64, burst: u32) -> Operation {
    let burst = NonZeroU32::new(burst).expect("a documented burst is never zero");
    Operation {
        name,
        documented: Rate { per_second, burst },
    }
}
