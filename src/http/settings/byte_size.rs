//! Byte sizes as people write them: `65536`, `64KiB`, `4MiB`.

use std::fmt;

use bytesize::ByteSize;
use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Reads a size larger than zero, as a number of bytes or as text with a unit.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    deserializer.deserialize_any(Size)
}

/// Parses text with a unit; a bare number in quotes is more likely a forgotten unit.
fn parse(text: &str) -> Option<usize> {
    let text = text.trim();
    let has_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
    let ByteSize(size) = text.parse().ok().filter(|_| has_unit)?;
    // The parser saturates; no size of ours is as large.
    let size = usize::try_from(size).ok().filter(|_| size < u64::MAX)?;
    (size > 0).then_some(size)
}

struct Size;

impl Visitor<'_> for Size {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size above zero, in bytes or such as \"64KiB\" or \"4MiB\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<usize, E> {
        parse(text).ok_or_else(|| {
            E::custom(format!(
                "{text:?} is not a size above zero, such as \"64KiB\" or \"4MiB\""
            ))
        })
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<usize, E> {
        usize::try_from(bytes)
            .ok()
            .filter(|bytes| *bytes > 0)
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(bytes), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!(parse("512B"), Some(512));
        assert_eq!(parse("64KiB"), Some(65_536));
        assert_eq!(parse(" 4 MiB"), Some(4_194_304));
        assert_eq!(parse("1.5MiB"), Some(1_572_864));
        assert_eq!(parse("4MB"), Some(4_000_000));
        for refused in ["", "4", "MiB", "4XB", "0KiB", "-1KiB", "99999999999GiB"] {
            assert_eq!(parse(refused), None, "{refused}");
        }
    }
}
