//! Secrets: read from a file or the environment, never from the configuration file itself.

use std::fmt;
use std::path::Path;

pub use secrecy::{ExposeSecret, SecretString};

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
