//! Overrides: `QUOTA_ORACLE__SERVER__LISTEN` stands for `server.listen`.
//!
//! Two underscores lead one level down. An element of a list is called by its index or by its
//! name, in which `-` and `.` are written `_`; the index after the last adds an element. A value
//! that reads as a TOML number, boolean, list, table or quoted string is one, every other value
//! is text.

use std::cmp::Reverse;

use toml::{Table, Value};

use super::KeyPath;
use super::key_path::Segment;
use super::problem::{Mistake, suggestion};
use super::secret_keys::is_secret;

/// The prefix of the variables that override a key.
const PREFIX: &str = "QUOTA_ORACLE__";

/// A key that the environment has set.
pub(super) struct Override {
    pub(super) variable: String,
    pub(super) path: KeyPath,
}

/// Puts what the environment says over the file's content; what of it makes no sense is left out.
pub(super) fn apply(
    table: &mut Table,
    environment: impl Iterator<Item = (String, String)>,
) -> (Vec<Override>, Vec<Mistake>) {
    let mut variables: Vec<_> = environment
        .filter(|(variable, _)| variable.starts_with(PREFIX))
        .collect();
    // A whole table comes before a key in it, and element 2 before element 10.
    variables.sort_by_cached_key(|(variable, _)| {
        let parts = variable.split("__");
        parts
            .map(|part| (part.parse().unwrap_or(usize::MAX), part.to_owned()))
            .collect::<Vec<_>>()
    });
    let mut overrides = Vec::new();
    let mut mistakes = Vec::new();
    for (variable, text) in variables {
        match set(table, &variable[PREFIX.len()..], &text) {
            Ok(path) => overrides.push(Override { variable, path }),
            Err(why) => mistakes.push(Mistake {
                sentence: format!("environment variable {variable}: {why}"),
                remedy: None,
            }),
        }
    }
    (overrides, mistakes)
}

/// The variable that overrides what stands at `path`.
pub(super) fn variable(file: &Table, path: &KeyPath) -> String {
    let mut at = KeyPath::default();
    let mut parts = Vec::new();
    for segment in path.segments() {
        match segment {
            Segment::Key(key) => {
                at = at.key(key);
                parts.push(key.to_uppercase());
            }
            Segment::Index(index) => {
                at = at.index(*index);
                let name = at.find(file).and_then(name_of);
                parts.push(name.map_or(index.to_string(), |name| plain(name).to_uppercase()));
            }
        }
    }
    format!("{PREFIX}{}", parts.join("__"))
}

/// Sets the key that `name` leads to, and says which it is.
fn set(table: &mut Table, name: &str, text: &str) -> Result<KeyPath, String> {
    let (key, mut rest) = next(name)?;
    let mut path = KeyPath::of(&key);
    let mut value = table.entry(key).or_insert_with(|| empty(rest));
    while let Some(name) = rest {
        match value {
            Value::Table(table) => {
                let (key, after) = next(name)?;
                path = path.key(&key);
                rest = after;
                value = table.entry(key).or_insert_with(|| empty(after));
            }
            Value::Array(elements) => {
                let (index, after) = element(elements, name, &path)?;
                path = path.index(index);
                rest = after;
                if index == elements.len() {
                    elements.push(empty(after));
                }
                value = &mut elements[index];
            }
            _ => return Err(format!("`{path}` is no table, so it has no keys")),
        }
    }
    *value = read(path.last_key(), text);
    Ok(path)
}

/// The first key of `name`, and what follows it.
fn next(name: &str) -> Result<(String, Option<&str>), String> {
    let (key, rest) = match name.split_once("__") {
        Some((key, rest)) => (key, Some(rest)),
        None => (name, None),
    };
    if key.is_empty() {
        return Err("a key is missing beside its double underscores".to_owned());
    }
    Ok((key.to_lowercase(), rest))
}

/// Returns the value of a key that is not there yet: a list if an index follows, else a table.
fn empty(rest: Option<&str>) -> Value {
    match rest.and_then(|rest| rest.split("__").next()) {
        Some(part) if part.parse::<usize>().is_ok() => Value::Array(Vec::new()),
        _ => Value::Table(Table::new()),
    }
}

/// Which element `name` starts with, and what follows it.
fn element<'n>(
    elements: &[Value],
    name: &'n str,
    path: &KeyPath,
) -> Result<(usize, Option<&'n str>), String> {
    // A name may hold two underscores itself, so whole names are tried, the longest first.
    let mut named: Vec<_> = elements
        .iter()
        .enumerate()
        .filter_map(|(index, element)| {
            let known = plain(name_of(element)?);
            let rest = after(name, &known)?;
            Some((Reverse(known.len()), index, rest))
        })
        .collect();
    named.sort();
    match named[..] {
        [(one, ..), (other, ..), ..] if one == other => {
            return Err(format!(
                "several elements of `{path}` go by this name; use an index, which counts from 0"
            ));
        }
        [(_, index, rest), ..] => return Ok((index, rest)),
        [] => {}
    }
    let (part, rest) = next(name)?;
    match part.parse::<usize>() {
        Ok(index) if index <= elements.len() => Ok((index, rest)),
        Ok(_) => Err(format!(
            "`{path}` has no such element; the next one to add has the index {}",
            elements.len()
        )),
        Err(_) => {
            let known: Vec<_> = elements.iter().filter_map(name_of).map(plain).collect();
            let suggestion = suggestion(&part, &known);
            Err(format!("`{path}` has no element `{part}`; {suggestion}"))
        }
    }
}

/// Returns the rest of `name` after `known`, if it starts with that.
fn after<'n>(name: &'n str, known: &str) -> Option<Option<&'n str>> {
    let (start, rest) = name.split_at_checked(known.len())?;
    if !start.eq_ignore_ascii_case(known) {
        return None;
    }
    match rest {
        "" => Some(None),
        rest => rest.strip_prefix("__").map(Some),
    }
}

/// Returns the name of an element of a list.
fn name_of(element: &Value) -> Option<&str> {
    ["name", "kind", "access_key_id"]
        .iter()
        .find_map(|key| element.get(key)?.as_str())
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

fn read(key: Option<&str>, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    if key.is_some_and(is_secret) {
        return as_text();
    }
    match text.trim().parse() {
        // A date, or a name such as `inf`, is rather text than what TOML makes of it.
        Ok(Value::Datetime(_)) | Err(_) => as_text(),
        Ok(Value::Float(number)) if !number.is_finite() => as_text(),
        Ok(value) => value,
    }
}
