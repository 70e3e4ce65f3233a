//! Secrets stay out of the file: a key that holds one is accepted from the environment only.

use std::path::Path;

use toml::{Table, Value};

use crate::secret::{Renewed, SecretError, SecretSource, SecretString};

use super::environment::variable;
use super::problem::Remedy;
use super::secret_keys::SECRETS;
use super::{KeyPath, Problem};

/// Reads a secret of one word; one that stands in a file is read again while running.
pub(super) fn renewed<T: PartialEq>(
    source: SecretSource,
    base: &Path,
    make: impl Fn(&SecretString) -> T + Send + Sync + 'static,
) -> Result<Renewed<T>, SecretError> {
    let base = base.to_owned();
    let read = move || Ok(make(&source.read_word(&base)?));
    Renewed::read(read)
}

/// Refuses a file that holds secrets.
pub(super) fn forbid(file: &Table, problems: &mut Vec<Problem>) {
    forbid_in_table(file, file, &KeyPath::default(), problems);
}

fn forbid_in_table(file: &Table, table: &Table, at: &KeyPath, problems: &mut Vec<Problem>) {
    for (key, value) in table {
        let path = at.key(key);
        if SECRETS.contains(&key.as_str()) {
            let variable = variable(file, &path);
            let reason = format!(
                "a secret does not belong in the configuration file; name its file with \
                 `{key}_file` or set the environment variable {variable}"
            );
            let remedy = Remedy::Line(format!("{key}_file = \"secrets/{key}\""));
            problems.push(Problem {
                at_key: true,
                ..Problem::reason(&path, reason).with_remedy(remedy)
            });
        } else {
            forbid_in_value(file, value, &path, problems);
        }
    }
}

fn forbid_in_value(file: &Table, value: &Value, at: &KeyPath, problems: &mut Vec<Problem>) {
    match value {
        Value::Table(table) => forbid_in_table(file, table, at, problems),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                forbid_in_value(file, element, &at.index(index), problems);
            }
        }
        _ => {}
    }
}
