//! The operations of Nebius that are called, and how often they may be.

use std::num::NonZeroU32;

use crate::upstream::{Operation, Rate};

/// Nebius documents no limits. Its own tools poll some of these every few minutes; this is far
/// above what reading them needs and far below what others are seen to do.
const UNDOCUMENTED: Rate = Rate {
    per_second: 5.0,
    burst: NonZeroU32::new(20).expect("20 is not zero"),
};

const fn operation(name: &'static str) -> Operation {
    Operation {
        name,
        documented: UNDOCUMENTED,
    }
}

pub(super) const EXCHANGE_TOKEN: Operation = operation("TokenExchangeService/Exchange");
pub(super) const METADATA_TOKEN: Operation = operation("metadata/token");
pub(super) const LIST_TENANTS: Operation = operation("TenantService/List");
pub(super) const LIST_PROJECTS: Operation = operation("ProjectService/List");
pub(super) const LIST_PLATFORMS: Operation = operation("PlatformService/List");
pub(super) const LIST_QUOTAS: Operation = operation("QuotaAllowanceService/List");
pub(super) const GET_QUOTA: Operation = operation("QuotaAllowanceService/GetByName");
pub(super) const LIST_ADVICE: Operation = operation("ResourceAdviceService/List");
