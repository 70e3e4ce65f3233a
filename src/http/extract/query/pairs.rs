//! The keys of a query string.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::http::error::{Problem, did_you_mean};

use super::refusal::QueryError;
use super::values::Values;

/// The keys and values of a query string, in order.
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(super) fn new(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Gathers the values of each key; all keys must be among `known`.
    pub(super) fn gather(self, known: &[&'static str]) -> Result<Vec<Values>, QueryError> {
        let mut gathered: Vec<Values> = Vec::new();
        for (key, text) in self.0 {
            let Some(key) = known.iter().find(|known| **known == key) else {
                let suggestion = did_you_mean(&key, known);
                let detail = format!("there is no query parameter `{key}`{suggestion}");
                return Err(Problem::bad(key, detail).known(known).into());
            };
            match gathered.iter_mut().find(|values| values.key == *key) {
                Some(values) => values.texts.push(text),
                None => gathered.push(Values {
                    key,
                    texts: vec![text],
                }),
            }
        }
        Ok(gathered)
    }
}

impl<'de> Deserializer<'de> for Pairs {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_map(Parameters::new(self.gather(fields)?))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The parameters that are still to be read.
pub(super) struct Parameters {
    rest: std::vec::IntoIter<Values>,
    current: Option<Values>,
}

impl Parameters {
    pub(super) fn new(all: Vec<Values>) -> Self {
        Self {
            rest: all.into_iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Parameters {
    type Error = QueryError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, QueryError> {
        self.current = self.rest.next();
        let key = self.current.as_ref().map(|values| values.key);
        key.map(|key| {
            let key: StrDeserializer<'_, QueryError> = key.into_deserializer();
            seed.deserialize(key)
        })
        .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, QueryError> {
        let values = self.current.take().expect("serde asks for the key first");
        let key = values.key;
        seed.deserialize(values).map_err(|error| error.at(key))
    }
}
