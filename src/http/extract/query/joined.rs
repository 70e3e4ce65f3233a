//! A query whose parameters two structs name together, so that several routes share one of them.
//!
//! serde's own `flatten` would hide the names of the parameters, and so what a misspelt one was
//! meant to be.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::http::error::Problem;

use super::pairs::{Pairs, Parameters};
use super::refusal::QueryError;

/// The query of a request, as two structs that name every parameter between them.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct JoinedQuery<A, B>(pub(in crate::http) A, pub(in crate::http) B);

impl<A: DeserializeOwned, B: DeserializeOwned, S: Sync> FromRequestParts<S> for JoinedQuery<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts.uri.query()).map_err(Problem::from)
    }
}

fn parse<A: DeserializeOwned, B: DeserializeOwned>(
    text: Option<&str>,
) -> Result<JoinedQuery<A, B>, QueryError> {
    let of_a = parameters_of::<A>();
    let known = [of_a, parameters_of::<B>()].concat();
    let gathered = Pairs::new(text.unwrap_or_default()).gather(&known)?;
    let (a, b) = gathered
        .into_iter()
        .partition(|values| of_a.contains(&values.key));
    let read = |values| MapAccessDeserializer::new(Parameters::new(values));
    Ok(JoinedQuery(
        A::deserialize(read(a))?,
        B::deserialize(read(b))?,
    ))
}

/// Returns the names of the parameters of a struct, which is made of nothing but parameters.
fn parameters_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    // It fails, as there is nothing to read; the names are told before.
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

/// A deserializer that notes which fields it is asked for.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("noted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Filter {
        region: Vec<String>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Page {
        limit: Option<u32>,
    }

    #[test]
    fn each_part_gets_its_own_and_what_neither_names_is_refused() {
        let JoinedQuery(filter, page) =
            parse::<Filter, Page>(Some("region=a&limit=3&region=b")).unwrap();
        assert_eq!(filter.region, ["a", "b"]);
        assert_eq!(page.limit, Some(3));
        let refused = parse::<Filter, Page>(Some("limt=3")).unwrap_err();
        let problem = Problem::from(refused);
        assert_eq!(
            problem.detail,
            "there is no query parameter `limt`; did you mean `limit`?"
        );
    }
}
