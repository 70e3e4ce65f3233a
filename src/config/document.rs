//! The configuration file: which one, its text, and the line of each key.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::key_path::Segment;
use super::{ConfigError, KeyPath};

/// Where a file is looked for when none is named: below the working directory first, so that a
/// checkout works as it stands, then where packages put it.
const PLACES: [&str; 2] = [
    "config/quota-oracle.toml",
    "/etc/quota-oracle/quota-oracle.toml",
];

/// A configuration file that was read.
pub(super) struct Document {
    pub(super) file: PathBuf,
    text: String,
}

/// The file to read: the named one, or the first that exists.
pub(super) fn find(named: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    find_among(named, &PLACES)
}

fn find_among(named: Option<PathBuf>, places: &[&str]) -> Result<PathBuf, ConfigError> {
    let usual = || {
        places
            .iter()
            .map(PathBuf::from)
            .find(|place| place.exists())
    };
    named.or_else(usual).ok_or_else(|| {
        ConfigError::new(format!(
            "there is no configuration file: neither {} exists; name one with --config or \
             QUOTA_ORACLE_CONFIG, and see config/quota-oracle.example.toml for every key",
            places.join(" nor ")
        ))
    })
}

impl Document {
    pub(super) fn read(file: &Path) -> Result<Self, ConfigError> {
        let shown = file.display();
        let bytes = std::fs::read(file).map_err(|error| {
            ConfigError::new(format!(
                "cannot read the configuration file {shown}: {error}"
            ))
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            ConfigError::new(format!("{shown}:{line}: the file is not UTF-8 text"))
        })?;
        Ok(Self {
            file: file.to_owned(),
            text,
        })
    }

    /// The file's content.
    pub(super) fn table(&self) -> Result<Table, ConfigError> {
        // The message only: the error's own display repeats the line, which may hold a secret.
        let refused = |error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let (line, column) = self.line_and_column(start);
            ConfigError::new(format!(
                "{}:{line}:{column}: this is not valid TOML: {}",
                self.file.display(),
                error.message().replace('\n', ", ")
            ))
        };
        let root = DeTable::parse(&self.text).map_err(refused)?;
        Table::deserialize(toml::Deserializer::from(root)).map_err(refused)
    }

    /// The line and column of what stands at `path`, if the file has it.
    pub(super) fn position(&self, path: &KeyPath, at_key: bool) -> Option<(usize, usize)> {
        let root = DeTable::parse(&self.text).ok()?;
        let (key, value) = locate(root.get_ref(), path)?;
        let start = key.filter(|_| at_key).unwrap_or(value.span().start);
        Some(self.line_and_column(start))
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.matches('\n').count();
        (line, 1 + before[line_start..].chars().count())
    }
}

/// The value at `path`, with the start of its key where it has one.
type Located<'t, 'i> = (Option<usize>, &'t Spanned<DeValue<'i>>);

fn locate<'t, 'i>(root: &'t DeTable<'i>, path: &KeyPath) -> Option<Located<'t, 'i>> {
    let (first, rest) = path.segments().split_first()?;
    let Segment::Key(first) = first else {
        return None;
    };
    rest.iter()
        .try_fold(entry(root, first)?, |(_, value), segment| {
            match (segment, value.get_ref()) {
                (Segment::Key(name), DeValue::Table(table)) => entry(table, name),
                (Segment::Index(index), DeValue::Array(array)) => Some((None, array.get(*index)?)),
                _ => None,
            }
        })
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<Located<'t, 'i>> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    Some((Some(key.span().start), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_any_file_the_sentence_names_the_places_and_the_example() {
        let error = find_among(None, &["none/a.toml", "none/b.toml"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no configuration file: neither none/a.toml nor none/b.toml exists; name one \
             with --config or QUOTA_ORACLE_CONFIG, and see config/quota-oracle.example.toml for \
             every key"
        );
    }

    #[test]
    fn the_first_place_that_exists_is_read_unless_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let second = folder.path().join("second.toml");
        std::fs::write(&second, "").unwrap();
        let places = ["none/first.toml", second.to_str().unwrap()];
        assert_eq!(find_among(None, &places).unwrap(), second);
        let named = PathBuf::from("named.toml");
        assert_eq!(find_among(Some(named.clone()), &places).unwrap(), named);
    }
}
