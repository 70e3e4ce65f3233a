//! Query strings: read strictly, so that a misspelt key is an error and not a missing filter.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::model::duration;

use crate::http::error::{Problem, did_you_mean};

/// The keys and values of a query string, in order.
#[derive(Debug)]
pub(in crate::http) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query string; all of its keys must be among `known`.
    pub(in crate::http) fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(text.unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        for (key, _) in &pairs {
            if !known.contains(&key.as_str()) {
                return Err(Problem::bad(
                    key.as_str(),
                    format!(
                        "there is no query parameter `{key}`{}",
                        did_you_mean(key, known)
                    ),
                )
                .known(known));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a key that may be given once.
    pub(in crate::http) fn one(&self, key: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.all(key);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Problem::bad(
                key,
                format!("`{key}` is given more than once"),
            )),
            None => Ok(first),
        }
    }

    /// All values of a key that may be given repeatedly.
    pub(in crate::http) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a key that may be given repeatedly; nothing if it is not given.
    pub(in crate::http) fn names(&self, key: &str) -> Result<Option<Vec<String>>, Problem> {
        let names: Vec<String> = self.all(key).map(ToOwned::to_owned).collect();
        if names.iter().any(String::is_empty) {
            return Err(Problem::bad(key, format!("`{key}` is empty")));
        }
        Ok((!names.is_empty()).then_some(names))
    }

    /// A whole number in a range.
    pub(in crate::http) fn whole(
        &self,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, Problem> {
        let Some(text) = self.one(key)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let (least, most) = range.into_inner();
                let detail = format!("`{key}` is a whole number from {least} to {most}");
                Err(Problem::bad(key, format!("{detail}, not `{text}`")))
            }
        }
    }

    /// A number that is not negative.
    pub(in crate::http) fn amount(&self, key: &str) -> Result<Option<f64>, Problem> {
        let Some(text) = self.one(key)? else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
            _ => {
                let detail = format!("`{key}` is a number of at least 0, not `{text}`");
                Err(Problem::bad(key, detail))
            }
        }
    }

    /// One of a few words, each of which stands for a value.
    pub(in crate::http) fn word<T>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Problem>
    where
        T: Copy,
    {
        self.one(key)?
            .map(|text| choose(key, text, words))
            .transpose()
    }

    /// Any of a few words, each of which stands for a value; nothing if the key is not given.
    pub(in crate::http) fn words<T>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<Vec<T>>, Problem>
    where
        T: Copy,
    {
        let chosen = self.all(key).map(|text| choose(key, text, words));
        let chosen: Vec<T> = chosen.collect::<Result<_, _>>()?;
        Ok((!chosen.is_empty()).then_some(chosen))
    }

    /// A duration, such as `30s`.
    pub(in crate::http) fn duration(&self, key: &str) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.one(key)? else {
            return Ok(None);
        };
        duration::parse(text)
            .map(Some)
            .map_err(|error| Problem::bad(key, format!("`{key}`: {error}")))
    }
}

fn choose<T: Copy>(key: &str, text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let detail = format!(
            "`{key}` is {}, not `{text}`{}",
            spelled(&known),
            did_you_mean(text, &known)
        );
        Problem::bad(key, detail).known(known)
    })
}

/// The words as people list them: `a`, `b` or `c`.
fn spelled(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
