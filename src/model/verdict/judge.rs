//! The judgement of a launch: which quota decides, and how.

use super::finding::Finding;
use super::{Basis, Binding, Outcome, Shortfall, Verdict};
use crate::model::{Demand, Draw, QuotaIndex, UnknownReason};

/// Judges whether `count` instances, at least one, that each take `demand` fit into `quotas`.
pub fn judge(demand: &Demand, count: u32, quotas: &QuotaIndex) -> Verdict {
    let count = count.max(1);
    let mut fewest: Option<(u64, Place<'_>)> = None;
    let mut shortfall: Option<Shortfall> = None;
    let mut unknown_reason: Option<(UnknownReason, Place<'_>)> = None;
    let mut uncertain: Option<Place<'_>> = None;
    let mut usage_known = true;

    for draw in &demand.draws {
        let finding = Finding::of(draw, quotas);
        if let Some(launches) = finding.launches {
            if fewest.is_none_or(|(least, _)| launches.left < least) {
                fewest = Some((launches.left, (draw, finding.row)));
            }
            shortfall = shortfall.max(launches.shortfall(count));
            if launches.is_uncertain(count) {
                uncertain = uncertain.or(Some((draw, finding.row)));
            }
        }
        let unknown = finding.unknown.map(|(reason, row)| (reason, (draw, row)));
        unknown_reason = unknown_reason.or(unknown);
        usage_known &= finding.usage_known;
    }
    let unmapped = demand.unmapped.is_some() || demand.draws.is_empty();

    let binding = |(draw, row): Place<'_>| Binding {
        quota: draw.quota.clone(),
        row,
        // Rounded once for all instances together: a byte is the least that a disk takes.
        required: draw.amount.map(|amount| (amount * count).ceil()),
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
    let unknown = |reason, place: Option<Place<'_>>| Verdict {
        outcome: Outcome::Unknown(reason),
        basis: None,
        launchable: None,
        binding: place.map(binding),
    };
    match (shortfall, unknown_reason) {
        (Some(shortfall), _) => known(Outcome::Short(shortfall)),
        (None, Some((reason, place))) => unknown(reason, Some(place)),
        (None, None) if unmapped => unknown(UnknownReason::Unmapped, None),
        (None, None) => match uncertain {
            Some(place) => unknown(UnknownReason::UsageRounded, Some(place)),
            None => known(Outcome::Fits),
        },
    }
}

/// A draw, and the row that decides it.
type Place<'a> = (&'a Draw, Option<usize>);
