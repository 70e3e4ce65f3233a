//! Durations as people write them: `250ms`, `90s`, `5m`, `1h`, `1h 30m`.
//!
//! A setting names it in `#[serde(with = "crate::model::duration")]`, which refuses zero; a
//! setting where zero means something names [`or_zero`] instead.

use std::fmt;
use std::time::Duration;

use jiff::fmt::friendly::{SpanParser, SpanPrinter};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// Why a text is no duration, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError(String);

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DurationError {}

/// The longest duration: beyond it, a machine cannot always count the time that it ends.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The duration that `text` says, up to ten years; zero is one, a negative one is not.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let duration = SpanParser::new()
        .parse_unsigned_duration(text.trim())
        .map_err(|_| {
            DurationError(format!(
                "{text:?} is not a duration; write a number and a unit, such as \"250ms\", \
                 \"90s\", \"5m\", \"1h\" or \"1h 30m\""
            ))
        })?;
    if duration > LONGEST {
        return Err(DurationError(format!("{text:?} is longer than ten years")));
    }
    Ok(duration)
}

/// The duration that `text` says, which must be longer than zero.
pub fn parse_positive(text: &str) -> Result<Duration, DurationError> {
    let duration = parse(text)?;
    if duration.is_zero() {
        return Err(DurationError(format!(
            "{text:?} is no time at all; the duration must be longer than zero"
        )));
    }
    Ok(duration)
}

/// The duration as [`parse`] reads it, in units as large as go.
pub fn format(duration: Duration) -> String {
    SpanPrinter::new().unsigned_duration_to_string(&duration)
}

/// Reads a duration longer than zero.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_str(Text(parse_positive))
}

/// Writes a duration as [`format()`] does.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// The same for settings where zero means something.
pub mod or_zero {
    use std::time::Duration;

    use serde::Deserializer;

    pub use super::serialize;

    /// Reads a duration, which may be zero.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_str(super::Text(super::parse))
    }
}

struct Text(fn(&str) -> Result<Duration, DurationError>);

impl Text {
    fn without_unit<E: Error>(number: impl fmt::Display) -> E {
        E::custom(format!(
            "a duration needs a unit: write \"{number}s\" if seconds are meant"
        ))
    }
}

impl Visitor<'_> for Text {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"90s\" or \"5m\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        (self.0)(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
        if number <= 0 {
            return Err(E::invalid_type(Unexpected::Signed(number), &self));
        }
        Err(Self::without_unit(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Duration, E> {
        Err(Self::without_unit(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_write_durations_in_several_ways() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            (" 1.5h ", 5_400_000),
            ("2 minutes", 120_000),
            ("0s", 0),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_that_is_no_duration_is_refused_with_examples() {
        for text in [
            "",
            "5",
            "m",
            "5 parsecs",
            "-5m",
            "5m ago",
            "1h banana",
            "1mo",
        ] {
            let sentence = parse(text).unwrap_err().to_string();
            assert_eq!(
                sentence,
                format!(
                    "{text:?} is not a duration; write a number and a unit, such as \"250ms\", \
                     \"90s\", \"5m\", \"1h\" or \"1h 30m\""
                )
            );
        }
    }

    #[test]
    fn what_no_clock_can_count_is_refused() {
        assert!(parse("87600h").is_ok());
        for text in ["87601h", "9300000000000000000s"] {
            let sentence = parse(text).unwrap_err().to_string();
            assert_eq!(sentence, format!("{text:?} is longer than ten years"));
        }
    }

    #[test]
    fn zero_is_refused_only_where_it_means_nothing() {
        assert!(parse("0s").is_ok());
        assert_eq!(
            parse_positive("0s").unwrap_err().to_string(),
            "\"0s\" is no time at all; the duration must be longer than zero"
        );
    }

    #[test]
    fn a_duration_is_written_in_units_as_large_as_go() {
        let written = |milliseconds| format(Duration::from_millis(milliseconds));
        assert_eq!(
            [250, 10_000, 90_000, 300_000, 5_400_000, 0].map(written),
            ["250ms", "10s", "1m 30s", "5m", "1h 30m", "0s"]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0u64..100_000_000, nanoseconds in 0u32..1_000_000_000) {
            let duration = Duration::new(seconds, nanoseconds);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }
}
