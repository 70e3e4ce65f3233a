//! Problems of a configuration: first where and why, then as one sentence for people.

use std::fmt;

use crate::model::suggest;

use super::KeyPath;

/// Why a configuration cannot be used, as one sentence with its file, line and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub(super) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Something wrong, at a place that is known by its path only.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) path: KeyPath,
    /// Whether the key itself is wrong rather than its value.
    pub(super) at_key: bool,
    pub(super) sentence: String,
}

impl Problem {
    /// Something is wrong at the path, in a sentence that stands on its own.
    pub(super) fn new(path: &KeyPath, sentence: String) -> Self {
        Self {
            path: path.clone(),
            at_key: false,
            sentence,
        }
    }

    /// A value is wrong; the claim goes on from its path: `must be a list`.
    pub(super) fn value(path: &KeyPath, claim: impl fmt::Display) -> Self {
        Self::new(path, format!("`{path}` {claim}"))
    }

    /// A value is wrong, for a reason that somebody else has put into words.
    pub(super) fn reason(path: &KeyPath, reason: impl fmt::Display) -> Self {
        Self::new(path, format!("`{path}`: {reason}"))
    }

    /// A table holds a key that nobody knows.
    pub(super) fn unknown_key(table: &KeyPath, key: &str, known: &[String]) -> Self {
        let place = table.in_table();
        let suggestion = suggestion(key, known);
        Self {
            path: table.key(key),
            at_key: true,
            sentence: format!("unknown key `{key}`{place}; {suggestion}"),
        }
    }
}

/// Suggests what to write instead of `word`: the nearest of `known`, or any of them.
pub(super) fn suggestion(word: &str, known: &[String]) -> String {
    match suggest(word, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known: {}", listed(known)),
    }
}

/// The words as people list them.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => "none".to_owned(),
        words => format!("`{}`", words.join("`, `")),
    }
}
