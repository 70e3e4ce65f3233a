//! Where a value stands in the configuration, such as `backends[0].rate_limit`.

use std::fmt;

use serde_path_to_error::Segment as Step;
use toml::{Table, Value};

/// The way from the top to a value.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct KeyPath(Vec<Segment>);

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// To a key of a table.
    Key(String),
    /// To an element of a list.
    Index(usize),
}

impl KeyPath {
    pub(super) fn of(key: &str) -> Self {
        Self::default().key(key)
    }

    pub(super) fn key(&self, key: &str) -> Self {
        self.then(Segment::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Segment::Index(index))
    }

    fn then(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The path that serde has tracked from here on.
    pub(super) fn follow(&self, tracked: &serde_path_to_error::Path) -> Self {
        let mut path = self.clone();
        path.0.extend(tracked.iter().filter_map(|step| match step {
            Step::Seq { index } => Some(Segment::Index(*index)),
            Step::Map { key } => Some(Segment::Key(key.clone())),
            Step::Enum { variant } => Some(Segment::Key(variant.clone())),
            Step::Unknown => None,
        }));
        path
    }

    /// The path that goes on from here as `other` does from the top.
    pub(super) fn then_all(&self, other: &Self) -> Self {
        Self([&self.0[..], &other.0].concat())
    }

    /// The path that `text` says from here on, such as `credentials.source` or `endpoints[0]`.
    #[cfg(test)]
    pub(super) fn join(&self, text: &str) -> Self {
        let mut path = self.clone();
        for part in text.split(['.', '[']).filter(|part| !part.is_empty()) {
            path.0.push(match part.strip_suffix(']').map(str::parse) {
                Some(Ok(index)) => Segment::Index(index),
                _ => Segment::Key(part.to_owned()),
            });
        }
        path
    }

    /// The keys alone, as a heading has them: `server.tokens`.
    pub(super) fn heading(&self) -> String {
        keys(&self.0)
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    pub(super) fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_last()?;
        Some(Self(parent.to_vec()))
    }

    pub(super) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    pub(super) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// This path and those that it passes through, longest first, without the top.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = Self> {
        (1..=self.0.len())
            .rev()
            .map(|length| Self(self.0[..length].to_vec()))
    }

    /// The value that stands there.
    pub(super) fn find<'v>(&self, table: &'v Table) -> Option<&'v Value> {
        let (first, rest) = self.0.split_first()?;
        let Segment::Key(key) = first else {
            return None;
        };
        rest.iter()
            .try_fold(table.get(key)?, |value, segment| match segment {
                Segment::Key(key) => value.get(key),
                Segment::Index(index) => value.get(index),
            })
    }

    /// The table at this path as people know it: ` in [cache]`, ` in [[backends]]`,
    /// `` in `rate_limit` of [[backends]]``; nothing at the top.
    pub(super) fn in_table(&self) -> String {
        let is_index = |segment: &Segment| matches!(segment, Segment::Index(_));
        let Some(last) = self.0.iter().rposition(is_index) else {
            return match self.0.len() {
                0 => String::new(),
                _ => format!(" in [{self}]"),
            };
        };
        let head = keys(&self.0[..last]);
        match keys(&self.0[last + 1..]) {
            inner if inner.is_empty() => format!(" in [[{head}]]"),
            inner => format!(" in `{inner}` of [[{head}]]"),
        }
    }
}

fn keys(segments: &[Segment]) -> String {
    let keys: Vec<_> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        })
        .collect();
    keys.join(".")
}

impl From<&[Segment]> for KeyPath {
    fn from(segments: &[Segment]) -> Self {
        Self(segments.to_vec())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    let dot = if position == 0 { "" } else { "." };
                    match is_bare(key) {
                        true => write!(f, "{dot}{key}")?,
                        false => write!(f, "{dot}\"{key}\"")?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether TOML takes the key without quotes (TOML 1.0, "Keys").
fn is_bare(key: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    !key.is_empty() && key.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_is_written() {
        let path = KeyPath::of("backends").index(1).join("credentials.source");
        assert_eq!(path.to_string(), "backends[1].credentials.source");
        assert_eq!(KeyPath::default().join(&path.to_string()), path);
        let quoted = KeyPath::of("quota_overrides").key("p5.48xlarge@spot");
        assert_eq!(quoted.to_string(), "quota_overrides.\"p5.48xlarge@spot\"");
    }

    #[test]
    fn a_table_is_called_by_its_head() {
        let label = |text: &str| KeyPath::default().join(text).in_table();
        assert_eq!(label(""), "");
        assert_eq!(label("cache"), " in [cache]");
        assert_eq!(label("server.tokens[2]"), " in [[server.tokens]]");
        assert_eq!(
            label("backends[0].rate_limit"),
            " in `rate_limit` of [[backends]]"
        );
    }
}
