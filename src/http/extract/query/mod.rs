//! Query strings: read strictly, so that a misspelt key is an error and not a missing filter.

mod joined;
mod pairs;
mod refusal;
mod values;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::error::Problem;

pub(in crate::http) use joined::JoinedQuery;
use pairs::Pairs;

/// The query of a request, as a struct that names every parameter.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct StrictQuery<T>(pub(in crate::http) T);

/// The query of a route that takes no parameters.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::http) struct NoQuery {}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts.uri.query()).map(Self)
    }
}

/// Parses a query string. The fields of `T` are all parameters that there are; those that are
/// lists may be repeated.
pub(in crate::http) fn parse<T: DeserializeOwned>(text: Option<&str>) -> Result<T, Problem> {
    T::deserialize(Pairs::new(text.unwrap_or_default())).map_err(Problem::from)
}
