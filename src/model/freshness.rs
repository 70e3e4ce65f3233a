//! How far an answer of some age may be relied on.

use strum::{IntoStaticStr, VariantArray};

use std::time::Duration;

/// How far an answer may be relied on, by its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Freshness {
    /// Served as it is.
    Fresh,
    /// Served at once and marked, while it is read anew.
    Stale,
    /// Shown, but no verdict rests on it.
    Expired,
}

impl Freshness {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The ages at which an answer stops being fresh and stops being usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Younger answers are fresh.
    pub fresh_for: Duration,
    /// Younger answers are at least stale; older ones are expired.
    pub stale_for: Duration,
}

impl Lifetimes {
    /// The freshness of an answer of this age.
    pub fn judge(&self, age: Duration) -> Freshness {
        if age < self.fresh_for {
            Freshness::Fresh
        } else if age < self.stale_for {
            Freshness::Stale
        } else {
            Freshness::Expired
        }
    }

    /// How much later that changes; nothing if it never does.
    pub fn changes_in(&self, age: Duration) -> Option<Duration> {
        match self.judge(age) {
            Freshness::Fresh => self.fresh_for.checked_sub(age),
            Freshness::Stale => self.stale_for.checked_sub(age),
            Freshness::Expired => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn freshness_changes_when_it_is_said_to(
            fresh in 0u64..10_000, stale in 0u64..10_000, age in 0u64..20_000,
        ) {
            let [fresh_for, stale_for, age] = [fresh, stale, age].map(Duration::from_secs);
            let lifetimes = Lifetimes { fresh_for, stale_for };
            let judged = lifetimes.judge(age);
            match lifetimes.changes_in(age) {
                Some(left) => {
                    prop_assert_ne!(lifetimes.judge(age + left), judged);
                    let before = age + left.saturating_sub(Duration::from_nanos(1));
                    prop_assert_eq!(lifetimes.judge(before), judged);
                }
                None => prop_assert_eq!(lifetimes.judge(Duration::MAX), judged),
            }
        }

        #[test]
        fn an_answer_never_gets_fresher_by_ageing(
            fresh in 0u64..10_000, stale in 0u64..10_000, age in 0u64..20_000, older in 0u64..20_000,
        ) {
            let lifetimes = Lifetimes {
                fresh_for: Duration::from_secs(fresh),
                stale_for: Duration::from_secs(stale),
            };
            let young = lifetimes.judge(Duration::from_secs(age));
            let old = lifetimes.judge(Duration::from_secs(age + older));
            prop_assert!(young <= old);
        }
    }

    #[test]
    fn the_limits_belong_to_the_older_state() {
        let lifetimes = Lifetimes {
            fresh_for: Duration::from_secs(300),
            stale_for: Duration::from_secs(3600),
        };
        let judge = |seconds| lifetimes.judge(Duration::from_secs(seconds)).as_str();
        assert_eq!([judge(299), judge(300)], ["fresh", "stale"]);
        assert_eq!([judge(3599), judge(3600)], ["stale", "expired"]);
    }
}
