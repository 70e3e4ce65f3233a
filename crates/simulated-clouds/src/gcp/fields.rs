//! Partial responses: the `fields` parameter, which every method takes.

use std::collections::BTreeMap;

use serde_json::Value;

/// The members that are asked for, each with the members of its own; none for all of them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields(BTreeMap<String, Fields>);

impl Fields {
    /// Parses a parameter such as `items(name,quotas(limit)),nextPageToken`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let fields = list(&mut rest)?;
        match rest.is_empty() {
            true => Ok(fields),
            false => Err(invalid(rest)),
        }
    }

    /// Returns the document with these members only; a name that the resource never has is an
    /// error.
    pub(super) fn apply(&self, document: &Value, known: &[&str]) -> Result<Value, String> {
        if self.0.is_empty() {
            return Ok(document.clone());
        }
        for name in self.0.keys() {
            if !known.contains(&&**name) {
                return Err(invalid(name));
            }
        }
        match document {
            Value::Object(members) => {
                let mut kept = serde_json::Map::new();
                for (name, fields) in &self.0 {
                    if let Some(value) = members.get(name) {
                        kept.insert(name.clone(), fields.apply(value, known)?);
                    }
                }
                Ok(Value::Object(kept))
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.apply(item, known));
                Ok(Value::Array(items.collect::<Result<_, _>>()?))
            }
            other => Ok(other.clone()),
        }
    }
}

fn list(rest: &mut &str) -> Result<Fields, String> {
    let mut fields = BTreeMap::new();
    loop {
        let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            return Err(invalid(rest));
        }
        *rest = &rest[end..];
        let mut below = Fields::default();
        if let Some(inner) = rest.strip_prefix('(') {
            *rest = inner;
            below = list(rest)?;
            *rest = rest.strip_prefix(')').ok_or_else(|| invalid(rest))?;
        }
        fields.insert(name.to_owned(), below);
        match rest.strip_prefix(',') {
            Some(more) => *rest = more,
            None => return Ok(Fields(fields)),
        }
    }
}

fn invalid(what: &str) -> String {
    format!("Invalid field selection {what}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: &[&str] = &["items", "name", "quotas", "limit", "usage", "next"];

    #[test]
    fn only_what_is_asked_for_is_answered() {
        let document = json!({"items": [{"name": "a", "secret": 1,
                                         "quotas": [{"limit": 1.0, "usage": 2.0}]}],
                              "next": "b", "kind": "list"});
        let apply = |text: &str| Fields::parse(text)?.apply(&document, KNOWN);
        assert_eq!(
            apply("items(name,quotas(limit)),next").unwrap(),
            json!({"items": [{"name": "a", "quotas": [{"limit": 1.0}]}], "next": "b"})
        );
        assert_eq!(apply("next").unwrap(), json!({"next": "b"}));
        for wrong in [
            "",
            "items(",
            "items)",
            "items(name",
            "itmes",
            "items(nmae)",
            ",next",
        ] {
            assert!(apply(wrong).is_err(), "{wrong}");
        }
    }
}
