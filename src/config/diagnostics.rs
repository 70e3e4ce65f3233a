//! Turns tables into settings, and serde's words about a failure into ours.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::clouds::SettingsError;
use crate::model::suggest;

use super::problem::{Remedy, suggestion};
use super::secret_keys::is_secret;
use super::{KeyPath, Problem};

/// The settings that the table at `at` says.
pub(super) fn parse_table<T: DeserializeOwned>(table: &Table, at: &KeyPath) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| {
        let inner = KeyPath::default().follow(error.path());
        translate(table, at, inner, error.inner().message(), &[])
    })
}

/// A problem with a cloud's own keys, which share their table with the `common` ones.
pub(super) fn explain_cloud_error(
    table: &Table,
    at: &KeyPath,
    error: &SettingsError,
    common: &[&str],
) -> Problem {
    let inner = KeyPath::default().follow(&error.path);
    translate(table, at, inner, &error.message, common)
}

/// The problem at the `inner` path of the table, which stands at `at`.
fn translate(
    table: &Table,
    at: &KeyPath,
    inner: KeyPath,
    message: &str,
    common: &[&str],
) -> Problem {
    let path = at.then_all(&inner);
    if path.last_key().is_some_and(is_secret) {
        return Problem::value(&path, "must be a string");
    }
    if let Some((key, expected)) = quoted(message, "unknown field `") {
        let holder = holder(table, inner, key);
        let mut known = backticked(expected);
        if holder == KeyPath::default() {
            known.extend(common.iter().map(|key| (*key).to_owned()));
        }
        return Problem::unknown_key(&at.then_all(&holder), key, &known);
    }
    if let Some((key, _)) = quoted(message, "missing field `") {
        let place = path.in_table();
        let example = path.key(key);
        let missing = Problem::new(&path, format!("`{key}` is missing{place}"));
        return missing.with_remedy(Remedy::ExampleOf(example));
    }
    if let Some((word, expected)) = quoted(message, "unknown variant `") {
        let known = backticked(expected);
        let claim = format!("cannot be `{word}`; {}", suggestion(word, &known));
        let remedy = match (suggest(word, &known), path.last_key()) {
            (Some(nearest), Some(key)) => Remedy::Line(format!("{key} = \"{nearest}\"")),
            _ => Remedy::Example,
        };
        return Problem::value(&path, claim).with_remedy(remedy);
    }
    let wrong = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix)?.rsplit_once(", expected "));
    match wrong {
        Some((found, expected)) => {
            let (below, found) = locate(table, &inner, found);
            // Of words between commas TOML makes one text.
            let hint = match (expected, &*found) {
                ("a sequence", "a string") => "; a list is written [\"one\", \"two\"]",
                _ => "",
            };
            let claim = format!("must be {}, not {found}{hint}", wanted(expected));
            let path = below.map_or(path.clone(), |key| path.key(&key));
            Problem::value(&path, claim)
        }
        // serde names a Rust type here, which says nothing to an operator.
        None if message.starts_with("data did not match any variant") => {
            Problem::value(&path, "is written in a way that is not understood")
        }
        None => Problem::reason(&path, message.replace('\n', " ")),
    }
}

/// The wrong value below `path`, and what it is: inside tagged enums serde gives the path of the
/// table, so the value is the one there that looks like what serde found.
fn locate(table: &Table, path: &KeyPath, found: &str) -> (Option<String>, String) {
    let found = shown(found);
    match path.find(table) {
        Some(Value::Table(inside)) if found != "a table" => {
            let wrong = inside.iter().find(|(_, value)| describe(value) == found);
            (wrong.map(|(key, _)| key.clone()), found.to_owned())
        }
        Some(value) => (None, describe(value)),
        None => (None, found.to_owned()),
    }
}

/// Which table holds the unknown `key`: inside tagged enums serde gives the path of the table,
/// elsewhere that of the key.
fn holder(table: &Table, path: KeyPath, key: &str) -> KeyPath {
    let is_holder = match path.find(table) {
        Some(value) => value.get(key).is_some(),
        None => false,
    };
    match path.parent() {
        Some(parent) if !is_holder => parent,
        _ => path,
    }
}

/// The word in backticks after `prefix`, and what follows it.
fn quoted<'m>(message: &'m str, prefix: &str) -> Option<(&'m str, &'m str)> {
    message.strip_prefix(prefix)?.split_once('`')
}

fn backticked(text: &str) -> Vec<String> {
    let words = text.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// Returns what serde expected, in an operator's words.
fn wanted(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "path string" => "a path",
        "string only" | "string or table" => "a string",
        "a nonzero u32" | "nonzero u32" => "a whole number above 0",
        "u32" | "u64" | "usize" | "i64" => "a whole number",
        "f64" => "a number",
        _ if expected.starts_with("enum ") => "a string",
        _ if expected.starts_with("struct ") || expected.contains("tagged enum") => "a table",
        _ => expected,
    }
}

/// A value in an operator's words. A string is not repeated: it may be a secret that came to the
/// wrong place.
fn describe(value: &Value) -> String {
    match value {
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
        value => format!("`{value}`"),
    }
}

/// The same from what serde says that it found.
fn shown(found: &str) -> &str {
    match found {
        "sequence" => "a list",
        "map" => "a table",
        _ if found.starts_with("string") => "a string",
        _ => ["integer ", "boolean ", "floating point "]
            .iter()
            .find_map(|kind| found.strip_prefix(kind))
            .unwrap_or(found),
    }
}
