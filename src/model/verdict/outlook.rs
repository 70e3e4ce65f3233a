//! The outlook of a demand: what launches of any number of instances would meet, in a few numbers.

use super::finding::{COUNTLESS, Finding};
use super::{Outcome, Shortfall};
use crate::model::{Demand, QuotaIndex, UnknownReason};

/// The outlook of launches of a demand in a region, whatever their count.
///
/// It agrees with [`judge`](super::judge) and says nothing of which quota decided and why, so that
/// hundreds of thousands of offers can be counted and ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How many instances what is left holds, as far as that is known.
    launchable: Option<u64>,
    /// How many the least that may be left holds, where the cloud rounds usage.
    surely: u64,
    /// How many the most that may be left holds.
    perhaps: u64,
    /// How many instances the limits alone hold.
    within_limits: u64,
    /// Whether some limit is zero.
    is_zero: bool,
    /// Why nothing can be said, unless the launch is too large for what is known.
    unknown: Option<UnknownReason>,
}

impl Outlook {
    /// The outlook of launches that each take `demand` out of `quotas`.
    pub fn new(demand: &Demand, quotas: &QuotaIndex) -> Self {
        let mut outlook = Self {
            launchable: None,
            surely: COUNTLESS,
            perhaps: COUNTLESS,
            within_limits: COUNTLESS,
            is_zero: false,
            unknown: None,
        };
        for draw in &demand.draws {
            let finding = Finding::of(draw, quotas);
            if let Some(launches) = finding.launches {
                let fewest = outlook.launchable.unwrap_or(COUNTLESS);
                outlook.launchable = Some(fewest.min(launches.left));
                outlook.surely = outlook.surely.min(launches.surely);
                outlook.perhaps = outlook.perhaps.min(launches.perhaps);
                outlook.within_limits = outlook.within_limits.min(launches.within_limit);
                outlook.is_zero |= launches.is_zero;
            }
            outlook.unknown = outlook
                .unknown
                .or(finding.unknown.map(|(reason, _)| reason));
        }
        if demand.unmapped.is_some() || demand.draws.is_empty() {
            outlook.unknown = outlook.unknown.or(Some(UnknownReason::Unmapped));
        }
        outlook
    }

    /// Returns whether `count` instances fit.
    pub fn outcome(&self, count: u32) -> Outcome {
        let count = u64::from(count.max(1));
        match self.unknown {
            _ if self.is_zero => Outcome::Short(Shortfall::Zero),
            _ if self.within_limits < count => Outcome::Short(Shortfall::Limit),
            _ if self.perhaps < count => Outcome::Short(Shortfall::Headroom),
            Some(reason) => Outcome::Unknown(reason),
            None if self.surely < count => Outcome::Unknown(UnknownReason::UsageRounded),
            None => Outcome::Fits,
        }
    }

    /// Returns how many instances fit; nothing where the verdict on `count` is unknown.
    pub fn launchable(&self, count: u32) -> Option<u64> {
        match self.outcome(count) {
            Outcome::Unknown(_) => None,
            Outcome::Fits | Outcome::Short(_) => self.launchable,
        }
    }
}
