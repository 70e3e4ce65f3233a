//! Byte sizes as people write them: `65536`, `64KiB`, `4MiB`.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

const UNITS: [(&str, usize); 4] = [
    ("GiB", 1024 * 1024 * 1024),
    ("MiB", 1024 * 1024),
    ("KiB", 1024),
    ("B", 1),
];

/// Reads a size larger than zero, as a number of bytes or as text with a unit.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    deserializer.deserialize_any(ByteSize)
}

fn parse(text: &str) -> Option<usize> {
    let text = text.trim();
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), *factor)))?;
    let size = number.parse::<usize>().ok()?.checked_mul(factor)?;
    (size > 0).then_some(size)
}

struct ByteSize;

impl Visitor<'_> for ByteSize {
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
    fn a_size_is_a_whole_number_and_a_binary_unit() {
        assert_eq!(parse("512B"), Some(512));
        assert_eq!(parse("64KiB"), Some(65_536));
        assert_eq!(parse(" 4 MiB"), Some(4_194_304));
        for refused in [
            "",
            "4",
            "MiB",
            "4MB",
            "0KiB",
            "-1KiB",
            "1.5MiB",
            "99999999999GiB",
        ] {
            assert_eq!(parse(refused), None, "{refused}");
        }
    }
}
