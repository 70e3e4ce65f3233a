//! Refusals of query strings, as serde reports them.

use std::fmt;

use crate::http::error::{Kind, Problem};

/// A refused query string.
#[derive(Debug)]
pub(super) struct QueryError(Box<Problem>);

impl QueryError {
    /// Names the parameter that is refused, unless it is named already.
    pub(super) fn at(mut self, key: &str) -> Self {
        self.0.field.get_or_insert_with(|| key.to_owned());
        self
    }
}

impl serde::de::Error for QueryError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::new(Kind::BadRequest, message.to_string()).into()
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl std::error::Error for QueryError {}

impl From<Problem> for QueryError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<QueryError> for Problem {
    fn from(QueryError(problem): QueryError) -> Self {
        *problem
    }
}
