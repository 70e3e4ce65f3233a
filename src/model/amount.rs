//! How much of a quota: a limit, a usage, a requirement, in the quota's own unit.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{Add, Mul};

use serde::{Deserialize, Serialize};

/// Bytes in a GiB.
pub const GIB: f64 = (1u64 << 30) as f64;

/// Bytes in a TiB.
pub const TIB: f64 = (1u64 << 40) as f64;

/// A finite amount, never negative.
///
/// Clouds state limits as doubles (AWS) or as unsigned integers (Nebius); a double holds both
/// exactly up to 2^53, which is 8 PiB in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Amount(f64);

impl Amount {
    /// Nothing at all.
    pub const ZERO: Self = Self(0.0);

    /// The amount, if `value` is finite and not negative.
    pub fn new(value: f64) -> Option<Self> {
        // Adding zero turns a negative zero into a positive one.
        (value.is_finite() && value >= 0.0).then_some(Self(value + 0.0))
    }

    /// The bytes of this many GiB, at least 0; the largest amount where they are more than a double
    /// holds, since such a disk fits nowhere.
    pub fn from_gib(gib: f64) -> Option<Self> {
        let bytes = gib * GIB;
        Self::new(if bytes == f64::INFINITY {
            f64::MAX
        } else {
            bytes
        })
    }

    /// The next whole amount, as clouds count whole bytes and whole machines.
    #[must_use]
    pub fn ceil(self) -> Self {
        Self(self.0.ceil())
    }

    /// The amount as a number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Returns the rest of this amount after taking `other`, never below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0.0))
    }

    /// How many times `other` fits into this amount; any number of times if `other` is zero.
    pub fn times(self, other: Self) -> u64 {
        if other.0 == 0.0 {
            return u64::MAX;
        }
        // A float-to-integer cast saturates, so a huge quotient stays the largest count.
        (self.0 / other.0).floor() as u64
    }
}

impl Eq for Amount {}

impl Hash for Amount {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // There is one zero and nothing that is not a number, so equal amounts have equal bits.
        self.0.to_bits().hash(state);
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl TryFrom<f64> for Amount {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("{value} is not a finite amount of at least 0"))
    }
}

impl From<Amount> for f64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl From<u32> for Amount {
    fn from(value: u32) -> Self {
        Self(f64::from(value))
    }
}

impl From<u64> for Amount {
    fn from(value: u64) -> Self {
        Self(value as f64)
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0).min(f64::MAX))
    }
}

impl Mul<u32> for Amount {
    type Output = Self;

    fn mul(self, count: u32) -> Self {
        Self((self.0 * f64::from(count)).min(f64::MAX))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `f64` displays whole numbers without a fraction and never in scientific notation.
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_is_finite_and_not_negative() {
        for refused in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Amount::new(refused), None);
        }
        assert_eq!(Amount::new(-0.0).unwrap().to_string(), "0");
        assert_eq!(Amount::new(96.0).unwrap().to_string(), "96");
        assert_eq!(Amount::new(0.5).unwrap().to_string(), "0.5");
    }

    #[test]
    fn a_disk_beyond_all_numbers_is_the_largest_amount() {
        for gib in [1e299, 1e300, f64::MAX] {
            let bytes = Amount::from_gib(gib).unwrap();
            assert!(bytes.get().is_finite());
            assert_eq!(Amount::from(u32::MAX).times(bytes), 0);
        }
        assert_eq!(Amount::from_gib(1.0), Amount::new(GIB));
        for refused in [-1.0, f64::NAN] {
            assert_eq!(Amount::from_gib(refused), None);
        }
    }

    proptest! {
        #[test]
        fn what_fits_n_times_leaves_less_than_one_more(room in 0u32..1_000_000, one in 1u32..10_000) {
            let times = Amount::from(room).times(Amount::from(one));
            prop_assert_eq!(times, u64::from(room / one));
        }

        #[test]
        fn subtracting_never_goes_below_zero(a in 0.0..1e12f64, b in 0.0..1e12f64) {
            let left = Amount::new(a).unwrap().saturating_sub(Amount::new(b).unwrap());
            prop_assert!(left >= Amount::ZERO);
        }
    }
}
