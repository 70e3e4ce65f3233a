//! The contribution of one draw to a verdict, whatever the count.

use super::Shortfall;
use crate::model::quota_index::Room;
use crate::model::{Amount, Draw, QuotaIndex, UnknownReason};

/// The largest count that every reader of JSON takes exactly; what has no bound is shown as this.
pub(super) const COUNTLESS: u64 = (1 << 53) - 1;

/// The contribution of one draw to a verdict, whatever the count.
pub(super) struct Finding {
    /// How many launches it leaves, if that is known.
    pub(super) launches: Option<Launches>,
    /// The row that says so.
    pub(super) row: Option<usize>,
    /// Why it leaves the verdict unknown, and by which row.
    pub(super) unknown: Option<(UnknownReason, Option<usize>)>,
    pub(super) usage_known: bool,
}

impl Finding {
    pub(super) fn of(draw: &Draw, quotas: &QuotaIndex) -> Self {
        let room = match quotas.room(&draw.quota) {
            Ok(room) => room,
            Err(reason) => {
                return Self {
                    launches: None,
                    row: None,
                    unknown: Some((reason, quotas.first_row(&draw.quota))),
                    usage_known: false,
                };
            }
        };
        let undecided = room.undecided.map(|(row, reason)| (reason, Some(row)));
        let mut finding = Self {
            launches: None,
            row: None,
            unknown: undecided,
            usage_known: room.usage_known && undecided.is_none(),
        };
        let Some(tightest) = room.tightest else {
            return finding;
        };
        finding.row = Some(tightest.row);
        match draw.amount {
            Some(each) => {
                let launches = Launches::of(room, tightest.left, each);
                finding.launches = Some(launches);
            }
            // Whatever the amount is, a limit of zero does not hold it.
            None if room.lowest_limit == Some(Amount::ZERO) => {
                finding.launches = Some(Launches::NONE);
            }
            None => {
                let no_amount = (UnknownReason::NoAmount, finding.row);
                finding.unknown = finding.unknown.or(Some(no_amount));
            }
        }
        finding
    }
}

/// The launches that one draw leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Launches {
    /// Within what is left.
    pub(super) left: u64,
    /// Within the least that may be left, where the cloud rounds usage.
    pub(super) surely: u64,
    /// Within the most that may be left.
    pub(super) perhaps: u64,
    /// Within the limit, whatever is used.
    pub(super) within_limit: u64,
    /// Whether the limit is zero, which not even an unknown amount fits into.
    pub(super) is_zero: bool,
}

impl Launches {
    /// No launch at all, of an amount that is not known.
    pub(super) const NONE: Self = Self {
        left: 0,
        surely: 0,
        perhaps: 0,
        within_limit: 0,
        is_zero: true,
    };

    /// The launches that take `each` out of a room of which so much is `left`; no bound if absent.
    fn of(room: &Room, left: Option<Amount>, each: Amount) -> Self {
        let limit = room.lowest_limit;
        let launches =
            |room: Option<Amount>| room.map_or(COUNTLESS, |room| room.times(each).min(COUNTLESS));
        Self {
            left: launches(left),
            surely: launches(room.surely_left),
            perhaps: launches(room.perhaps_left),
            within_limit: launches(limit),
            // An amount of nothing fits into a limit of zero.
            is_zero: limit == Some(Amount::ZERO) && launches(left) == 0,
        }
    }

    /// Whether `count` instances would fit at one end of what is used only.
    pub(super) fn is_uncertain(self, count: u32) -> bool {
        let count = u64::from(count);
        self.surely < count && count <= self.perhaps
    }

    /// Returns how far short of `count` instances they fall.
    pub(super) fn shortfall(self, count: u32) -> Option<Shortfall> {
        let count = u64::from(count);
        if self.perhaps >= count {
            None
        } else if self.is_zero {
            Some(Shortfall::Zero)
        } else if self.within_limit < count {
            Some(Shortfall::Limit)
        } else {
            Some(Shortfall::Headroom)
        }
    }
}
