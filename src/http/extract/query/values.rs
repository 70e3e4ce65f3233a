//! The values of one key of a query string.

use std::str::FromStr;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::http::error::{Problem, did_you_mean};

use super::refusal::QueryError;

/// All values of one key, in order; never empty.
pub(super) struct Values {
    pub(super) key: &'static str,
    pub(super) texts: Vec<String>,
}

impl Values {
    /// The text of a key that may be given once.
    fn one(self) -> Result<String, QueryError> {
        let key = self.key;
        let [text] = <[String; 1]>::try_from(self.texts)
            .map_err(|_| Problem::bad(key, format!("`{key}` is given more than once")))?;
        if text.is_empty() {
            return Err(Problem::bad(key, format!("`{key}` is empty")).into());
        }
        Ok(text)
    }

    /// A number that `is_valid` accepts; `expected` says which those are.
    fn number<T: FromStr>(
        self,
        expected: &str,
        is_valid: impl FnOnce(&T) -> bool,
    ) -> Result<T, QueryError> {
        let key = self.key;
        let text = self.one()?;
        text.parse()
            .ok()
            .filter(is_valid)
            .ok_or_else(|| Problem::bad(key, format!("`{key}` is {expected}, not `{text}`")).into())
    }

    /// One of a few words.
    fn word(self, words: &'static [&'static str]) -> Result<&'static str, QueryError> {
        let key = self.key;
        let text = self.one()?;
        let found = words.iter().find(|word| **word == text);
        found.copied().ok_or_else(|| {
            let suggestion = did_you_mean(&text, words);
            let detail = format!("`{key}` is {}, not `{text}`{suggestion}", spelled(words));
            Problem::bad(key, detail).known(words).into()
        })
    }
}

/// Lists words as people do: `a`, `b` or `c`.
fn spelled(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl<'de> Deserializer<'de> for Values {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_string(self.one()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let key = self.key;
        let texts = self.texts.into_iter().map(|text| Self {
            key,
            texts: vec![text],
        });
        visitor.visit_seq(SeqDeserializer::new(texts))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_bool(self.word(&["true", "false"])? == "true")
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let expected = format!("a whole number from 0 to {}", u32::MAX);
        visitor.visit_u32(self.number(&expected, |_| true)?)
    }

    /// All fractions in queries are amounts, of which none is negative.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let is_amount = |number: &f64| number.is_finite() && *number >= 0.0;
        visitor.visit_f64(self.number("a number of at least 0", is_amount)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        let word: StrDeserializer<'_, QueryError> = self.word(variants)?.into_deserializer();
        visitor.visit_enum(word)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 char str string bytes byte_buf
        unit unit_struct newtype_struct tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, QueryError> for Values {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
