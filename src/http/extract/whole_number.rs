//! Whole numbers in JSON, which knows no integers: `192.0` is one (JSON Schema, section 6.1.1).

use std::fmt;
use std::num::NonZeroU32;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A whole number from 1, however it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct WholeNumber(NonZeroU32);

impl WholeNumber {
    /// Returns the number.
    pub(in crate::http) fn get(self) -> u32 {
        self.0.get()
    }
}

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = WholeNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {}", u32::MAX)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<WholeNumber, E> {
                let small = u32::try_from(number).ok().and_then(NonZeroU32::new);
                let wrong = || E::invalid_value(Unexpected::Unsigned(number), &self);
                small.map(WholeNumber).ok_or_else(wrong)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<WholeNumber, E> {
                Err(E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<WholeNumber, E> {
                // What is beyond a u32 is refused whatever the cast makes of it.
                let is_whole =
                    number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
                let small = is_whole.then(|| NonZeroU32::new(number as u32)).flatten();
                let wrong = || E::invalid_value(Unexpected::Float(number), &self);
                small.map(WholeNumber).ok_or_else(wrong)
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<u32> {
        let number: Result<WholeNumber, _> = serde_json::from_str(text);
        number.ok().map(WholeNumber::get)
    }

    #[test]
    fn a_number_is_whole_by_its_value() {
        for (text, number) in [("192", 192), ("192.0", 192), ("1.92e2", 192), ("1E0", 1)] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in [
            "0",
            "0.0",
            "-1",
            "-1.0",
            "0.5",
            "192.5",
            "4294967296.0",
            "1e300",
            "\"8\"",
            "true",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn each_number_may_be_written_with_a_decimal_point(number in 1..=u32::MAX) {
            prop_assert_eq!(read(&number.to_string()), Some(number));
            prop_assert_eq!(read(&format!("{number}.0")), Some(number));
            prop_assert_eq!(read(&format!("{number}.5")), None);
        }
    }
}
