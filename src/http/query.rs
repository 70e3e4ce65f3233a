//! Query strings: read strictly, so that a misspelt key is an error and not a missing filter.

use std::time::Duration;

use crate::model::duration;

use super::problem::{Problem, nearest};

/// The keys and values of a query string, in order.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query string; all of its keys must be among `known`.
    pub(super) fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(text.unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        for (key, _) in &pairs {
            if !known.contains(&key.as_str()) {
                return Err(Problem::bad(
                    key.as_str(),
                    format!("there is no query parameter `{key}`{}", nearest(key, known)),
                )
                .known(known));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a key that may be given once.
    pub(super) fn one(&self, key: &str) -> Result<Option<&str>, Problem> {
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
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// A duration, such as `30s`.
    pub(super) fn duration(&self, key: &str) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.one(key)? else {
            return Ok(None);
        };
        duration::parse(text)
            .map(Some)
            .map_err(|error| Problem::bad(key, format!("`{key}`: {error}")))
    }
}
