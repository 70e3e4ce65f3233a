//! Whether a launch fits into the quotas, as far as that is known.
//!
//! This is the truth whatever the caller wants to hear; what a backend's strictness makes of it
//! is in `availability`, and the sentence that explains it in `reason`.

use super::quota_index::{QuotaIndex, UnknownReason};
use super::{Amount, Demand, Draw, QuotaKey};

/// Whether a number of instances fits, and what decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether they fit.
    pub outcome: Outcome,
    /// What that rests on; nothing if it is unknown.
    pub basis: Option<Basis>,
    /// How many such instances the room holds; with [`Basis::Limit`] at most so many; nothing if
    /// it is unknown.
    pub launchable: Option<u64>,
    /// The quota that leaves the fewest launches, or that made it unknown, if it is known which.
    pub binding: Option<Binding>,
}

/// Whether a launch fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every demanded quota has room, as far as its usage is known.
    Fits,
    /// Some demanded quota certainly has not.
    Short(Shortfall),
    /// It cannot be said.
    Unknown(UnknownReason),
}

impl Outcome {
    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Short(_) => "short",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// How far short a quota falls: each one implies those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortfall {
    /// What is left is not enough.
    Headroom,
    /// The limit itself is not enough.
    Limit,
    /// The limit is zero.
    Zero,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Limit and usage of everything that is demanded.
    Headroom,
    /// Limits, where some usage is unknown: the room is at most that.
    Limit,
}

impl Basis {
    /// The word of the public contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headroom => "headroom",
            Self::Limit => "limit",
        }
    }
}

/// The quota that decided a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Which quota.
    pub quota: QuotaKey,
    /// The place of its row for [`QuotaIndex::row`], which tells its container too, if it has one.
    pub row: Option<usize>,
    /// How much all instances together take of it, if known.
    pub required: Option<Amount>,
}

/// The largest count that every reader of JSON takes exactly; what has no bound is shown as this.
const COUNTLESS: u64 = (1 << 53) - 1;

/// Judges whether `count` instances, at least one, that each take `demand` fit into `quotas`.
pub fn judge(demand: &Demand, count: u32, quotas: &QuotaIndex) -> Verdict {
    let count = count.max(1);
    let mut fewest: Option<(u64, Place<'_>)> = None;
    let mut shortfall: Option<Shortfall> = None;
    let mut unknown_reason: Option<(UnknownReason, Place<'_>)> = None;
    let mut usage_known = true;

    for draw in &demand.draws {
        let finding = Finding::of(draw, count, quotas);
        if let Some((launches, place)) = finding.launches
            && fewest.is_none_or(|(least, _)| launches < least)
        {
            fewest = Some((launches, place));
        }
        shortfall = shortfall.max(finding.shortfall);
        unknown_reason = unknown_reason.or(finding.unknown_reason);
        usage_known &= finding.usage_known;
    }
    let unmapped = demand.unmapped.is_some() || demand.draws.is_empty();

    let binding = |(draw, row): Place<'_>| Binding {
        quota: draw.quota.clone(),
        row,
        required: draw.amount.map(|amount| amount * count),
    };
    let known = |outcome| Verdict {
        outcome,
        basis: Some(if usage_known && !unmapped {
            Basis::Headroom
        } else {
            Basis::Limit
        }),
        launchable: fewest.map(|(launches, _)| launches),
        binding: fewest.map(|(_, place)| binding(place)),
    };
    let unknown = |unknown_reason, place: Option<Place<'_>>| Verdict {
        outcome: Outcome::Unknown(unknown_reason),
        basis: None,
        launchable: None,
        binding: place.map(binding),
    };
    match (shortfall, unknown_reason) {
        (Some(shortfall), _) => known(Outcome::Short(shortfall)),
        (None, Some((unknown_reason, place))) => unknown(unknown_reason, Some(place)),
        (None, None) if unmapped => unknown(UnknownReason::Unmapped, None),
        (None, None) => known(Outcome::Fits),
    }
}

/// A draw, and the row that decides it.
type Place<'a> = (&'a Draw, Option<usize>);

/// What one draw contributes to a verdict.
struct Finding<'a> {
    /// How many launches it leaves, and by which row, if that is known.
    launches: Option<(u64, Place<'a>)>,
    shortfall: Option<Shortfall>,
    unknown_reason: Option<(UnknownReason, Place<'a>)>,
    usage_known: bool,
}

impl<'a> Finding<'a> {
    fn of(draw: &'a Draw, count: u32, quotas: &QuotaIndex) -> Self {
        let room = match quotas.room(&draw.quota) {
            Ok(room) => room,
            Err(unknown_reason) => {
                return Self::unknown(unknown_reason, draw, quotas.first_row(&draw.quota));
            }
        };
        let mut finding = Self {
            launches: None,
            shortfall: None,
            unknown_reason: room
                .undecided
                .map(|(row, unknown_reason)| (unknown_reason, (draw, Some(row)))),
            usage_known: room.usage_known && room.undecided.is_none(),
        };
        let Some(tightest) = room.tightest else {
            return finding;
        };
        let place = (draw, Some(tightest.row));
        let launches = |room: Option<Amount>, each: Amount| {
            room.map_or(COUNTLESS, |room| room.times(each).min(COUNTLESS))
        };
        let is_zero = room.lowest_limit == Some(Amount::ZERO);
        match draw.amount {
            Some(each) => {
                let left = launches(tightest.left, each);
                finding.launches = Some((left, place));
                finding.shortfall = if left >= u64::from(count) {
                    None
                } else if is_zero {
                    Some(Shortfall::Zero)
                } else if launches(room.lowest_limit, each) < u64::from(count) {
                    Some(Shortfall::Limit)
                } else {
                    Some(Shortfall::Headroom)
                };
            }
            // Whatever the amount is, a limit of zero does not hold it.
            None if is_zero => {
                finding.launches = Some((0, place));
                finding.shortfall = Some(Shortfall::Zero);
            }
            None => {
                finding.unknown_reason = finding
                    .unknown_reason
                    .or(Some((UnknownReason::NoAmount, place)));
            }
        }
        finding
    }

    fn unknown(unknown_reason: UnknownReason, draw: &'a Draw, row: Option<usize>) -> Self {
        Self {
            launches: None,
            shortfall: None,
            unknown_reason: Some((unknown_reason, (draw, row))),
            usage_known: false,
        }
    }
}

#[cfg(test)]
mod tests;
