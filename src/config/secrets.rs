//! Secrets stay out of the file: a key that holds one is accepted from the environment only.

use std::path::Path;

use toml::{Table, Value};

use crate::secret::{Renewed, SecretError, SecretSource, SecretString};

use super::environment::variable;
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

/// Refuses a file that holds a secret.
pub(super) fn forbid(file: &Table) -> Result<(), Problem> {
    forbid_in_table(file, file, &KeyPath::default())
}

fn forbid_in_table(file: &Table, table: &Table, at: &KeyPath) -> Result<(), Problem> {
    for (key, value) in table {
        let path = at.key(key);
        if SECRETS.contains(&key.as_str()) {
            let variable = variable(file, &path);
            let reason = format!(
                "a secret does not belong in the configuration file; name its file with \
                 `{key}_file` or set the environment variable {variable}"
            );
            return Err(Problem {
                at_key: true,
                ..Problem::reason(&path, reason)
            });
        }
        forbid_in_value(file, value, &path)?;
    }
    Ok(())
}

fn forbid_in_value(file: &Table, value: &Value, at: &KeyPath) -> Result<(), Problem> {
    match value {
        Value::Table(table) => forbid_in_table(file, table, at),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .try_for_each(|(index, element)| forbid_in_value(file, element, &at.index(index))),
        _ => Ok(()),
    }
}
