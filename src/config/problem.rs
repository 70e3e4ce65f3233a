//! Problems of a configuration: first where and why, then as one sentence for people.

use std::fmt;

use crate::model::suggest;

use super::KeyPath;

/// Why a configuration cannot be used: all mistakes of it that were found, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<Mistake>);

/// A mistake as one sentence with its file, line and key, and the line to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) sentence: String,
    pub(super) remedy: Option<String>,
}

impl ConfigError {
    pub(super) fn new(sentence: String) -> Self {
        Self(vec![Mistake {
            sentence,
            remedy: None,
        }])
    }

    /// The error of these mistakes, if there are any.
    pub(super) fn of(mistakes: Vec<Mistake>) -> Result<(), Self> {
        match mistakes.is_empty() {
            true => Ok(()),
            false => Err(Self(mistakes)),
        }
    }

    /// Returns each mistake with the line to write instead, where there is one.
    pub fn explained(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|mistake| match &mistake.remedy {
            Some(line) => format!("{}; write `{line}`", mistake.sentence),
            None => mistake.sentence.clone(),
        })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<_> = self.0.iter().map(|mistake| &*mistake.sentence).collect();
        f.write_str(&sentences.join("\n"))
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
    pub(super) remedy: Remedy,
}

/// What is to be written in the place of a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// What the example configuration has there.
    Example,
    /// What the example configuration has elsewhere: for a key that is missing.
    ExampleOf(KeyPath),
    /// The same value under another key.
    Rename(String),
    /// This line.
    Line(String),
    /// No line mends it.
    None,
}

impl Problem {
    /// Something is wrong at the path, in a sentence that stands on its own.
    pub(super) fn new(path: &KeyPath, sentence: String) -> Self {
        Self {
            path: path.clone(),
            at_key: false,
            sentence,
            remedy: Remedy::Example,
        }
    }

    /// The same problem with another remedy.
    pub(super) fn with_remedy(self, remedy: Remedy) -> Self {
        Self { remedy, ..self }
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
        let nearest = suggest(key, known);
        let remedy = nearest.map_or(Remedy::None, |nearest| Remedy::Rename(nearest.to_owned()));
        let suggestion = suggestion(key, known);
        Self {
            path: table.key(key),
            at_key: true,
            sentence: format!("unknown key `{key}`{place}; {suggestion}"),
            remedy,
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
