//! Secrets: read from a file or the environment, never from the configuration file itself.

use std::fmt;
use std::path::{Path, PathBuf};

pub use secrecy::{ExposeSecret, SecretString};

/// Where an operator has put a secret.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// In a file, which is read anew each time, since somebody may renew it.
    File(PathBuf),
    /// In the environment.
    Text(SecretString),
}

impl SecretSource {
    /// The source that is given, if any is; `key` is the secret's, and `key_file` the file's.
    pub fn given(
        key: &str,
        file: Option<PathBuf>,
        text: Option<SecretString>,
    ) -> Result<Option<Self>, SecretError> {
        match (file, text) {
            (Some(_), Some(_)) => Err(SecretError(format!(
                "there are two: keep `{key}_file` or the environment's `{key}`"
            ))),
            (Some(file), None) => Ok(Some(Self::File(file))),
            (None, Some(text)) => Ok(Some(Self::Text(text))),
            (None, None) => Ok(None),
        }
    }

    /// The one of these keys that the operator has used.
    pub fn key<K>(&self, file: K, text: K) -> K {
        match self {
            Self::File(_) => file,
            Self::Text(_) => text,
        }
    }

    /// The secret; relative paths start at `base`.
    pub fn read(&self, base: &Path) -> Result<SecretString, SecretError> {
        match self {
            Self::File(file) => read_file(&base.join(file)),
            Self::Text(text) if text.expose_secret().is_empty() => {
                Err(SecretError("the environment's secret is empty".to_owned()))
            }
            Self::Text(text) => Ok(text.clone()),
        }
    }
}

/// Why a secret could not be had; the sentence names the file, never its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError(String);

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SecretError {}

/// Reads the secret in `file`, without the line end that editors leave behind.
pub fn read_file(file: &Path) -> Result<SecretString, SecretError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        SecretError(format!(
            "cannot read the secret file {}: {error}",
            file.display()
        ))
    })?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(SecretError(format!(
            "the secret file {} is empty",
            file.display()
        )));
    }
    Ok(SecretString::from(secret))
}
