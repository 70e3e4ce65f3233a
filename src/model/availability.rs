//! The advice to a caller about an offer, in dstack's words.

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::verdict::{Outcome, Shortfall};

/// How much a backend makes of a launch that does not fit.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumString, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Strictness {
    /// Nothing: it is only shown.
    Off,
    /// It counts when the limit is zero.
    Nonzero,
    /// It counts when the limit itself is not enough.
    Limit,
    /// It counts when what is left is not enough.
    #[default]
    Headroom,
}

/// The advice to a caller about an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Availability {
    /// Launch it.
    Available,
    /// Try it: nobody knows.
    Unknown,
    /// Leave it: the quota does not hold it.
    NoQuota,
    /// Leave it for now: the cloud just had no capacity.
    NotAvailable,
}

/// The availability of an offer, and what it would be if its backend were not in shadow mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The availability that is shown.
    pub availability: Availability,
    /// The availability that would have been shown, in shadow mode.
    pub shadow: Option<Availability>,
}

/// Decides what a caller is told of an offer of a backend of that strictness.
///
/// The launch `is_prevented` by a restriction, or by a capacity failure that is still in force. With
/// `shadow` nothing of that counts; the decision only says what it would have been.
pub fn decide(
    outcome: Outcome,
    strictness: Strictness,
    shadow: bool,
    is_prevented: bool,
) -> Decision {
    let decided = availability(outcome, strictness, is_prevented);
    if shadow {
        Decision {
            availability: availability(outcome, Strictness::Off, false),
            shadow: Some(decided),
        }
    } else {
        Decision {
            availability: decided,
            shadow: None,
        }
    }
}

fn availability(outcome: Outcome, strictness: Strictness, is_prevented: bool) -> Availability {
    let counts = |shortfall| match strictness {
        Strictness::Off => false,
        Strictness::Nonzero => shortfall >= Shortfall::Zero,
        Strictness::Limit => shortfall >= Shortfall::Limit,
        Strictness::Headroom => shortfall >= Shortfall::Headroom,
    };
    match outcome {
        Outcome::Short(shortfall) if counts(shortfall) => Availability::NoQuota,
        _ if is_prevented => Availability::NotAvailable,
        Outcome::Fits => Availability::Available,
        Outcome::Short(_) | Outcome::Unknown(_) => Availability::Unknown,
    }
}

impl Strictness {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Availability {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnknownReason;

    fn said(outcome: Outcome) -> [&'static str; 4] {
        [
            Strictness::Off,
            Strictness::Nonzero,
            Strictness::Limit,
            Strictness::Headroom,
        ]
        .map(|strictness| {
            let decision = decide(outcome, strictness, false, false);
            decision.availability.as_str()
        })
    }

    #[test]
    fn strictness_decides_only_what_is_made_of_a_shortfall() {
        let doubt = Outcome::Unknown(UnknownReason::Expired);
        let (unknown, no) = ("unknown", "no_quota");
        assert_eq!(said(Outcome::Fits), ["available"; 4]);
        assert_eq!(said(doubt), [unknown; 4]);
        assert_eq!(
            said(Outcome::Short(Shortfall::Headroom)),
            [unknown, unknown, unknown, no]
        );
        assert_eq!(
            said(Outcome::Short(Shortfall::Limit)),
            [unknown, unknown, no, no]
        );
        assert_eq!(said(Outcome::Short(Shortfall::Zero)), [unknown, no, no, no]);
    }

    #[test]
    fn missing_capacity_overrules_all_but_a_missing_quota() {
        let said = |outcome| decide(outcome, Strictness::Headroom, false, true).availability;
        assert_eq!(said(Outcome::Fits), Availability::NotAvailable);
        assert_eq!(
            said(Outcome::Unknown(UnknownReason::Unread)),
            Availability::NotAvailable
        );
        assert_eq!(
            said(Outcome::Short(Shortfall::Headroom)),
            Availability::NoQuota
        );
    }

    #[test]
    fn a_backend_that_only_watches_tells_what_it_would_have_said() {
        let short = Outcome::Short(Shortfall::Limit);
        let decision = decide(short, Strictness::Limit, true, false);
        assert_eq!(decision.availability, Availability::Unknown);
        assert_eq!(decision.shadow, Some(Availability::NoQuota));
        assert_eq!(decide(short, Strictness::Limit, false, false).shadow, None);
    }

    #[test]
    fn words_are_read_back() {
        for one in Strictness::VARIANTS {
            assert_eq!(one.as_str().parse(), Ok(*one));
        }
        for one in Availability::VARIANTS {
            assert_eq!(one.as_str().parse(), Ok(*one));
        }
        assert!("Off".parse::<Strictness>().is_err());
        assert!("idle".parse::<Availability>().is_err());
    }
}
