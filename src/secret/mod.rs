//! Secrets: read from a file or the environment, never from the configuration file itself.
//!
//! Editors and tools add to a secret what is no part of it: a byte order mark, line ends, blanks.
//! `text` cuts that off and refuses what then cannot be a secret. [`Renewed`] holds what was made
//! of secret files and reads them again while running.

mod renewed;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

pub use secrecy::{ExposeSecret, SecretString};

pub use renewed::{READ_EVERY, Renewed, generation, reload};
pub use text::{clean, word};

/// The largest secret file: a shared credentials file of hundreds of profiles is smaller, and a
/// path that leads to a device would otherwise be read without end.
const LARGEST_FILE: u64 = 1024 * 1024;

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

    /// Reads a secret of one word, such as a token; relative paths start at `base`.
    pub fn read_word(&self, base: &Path) -> Result<SecretString, SecretError> {
        match self {
            Self::File(file) => read_word(&base.join(file)),
            Self::Text(text) => word(text.expose_secret(), IN_ENVIRONMENT),
        }
    }

    /// Reads a secret of several lines, such as a private key; relative paths start at `base`.
    pub fn read_document(&self, base: &Path) -> Result<SecretString, SecretError> {
        match self {
            Self::File(file) => read_document(&base.join(file)),
            Self::Text(text) => match clean(text.expose_secret()) {
                "" => Err(SecretError::empty(IN_ENVIRONMENT)),
                text => Ok(SecretString::from(text)),
            },
        }
    }
}

/// A secret that can be compared with another reading of it.
#[derive(Clone, Debug)]
pub struct SecretText(SecretString);

impl SecretText {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<SecretString> for SecretText {
    fn from(secret: SecretString) -> Self {
        Self(secret)
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// A secret of the environment, in sentences.
const IN_ENVIRONMENT: &str = "the environment's secret";

/// Why a secret could not be had; the sentence names the file, never its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError(String);

impl SecretError {
    /// An error in these words, which must not repeat the secret.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    fn empty(place: &str) -> Self {
        Self(format!("{place} is empty"))
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SecretError {}

/// Reads a file that holds a secret of one word, such as a token.
pub fn read_word(file: &Path) -> Result<SecretString, SecretError> {
    let content = read(file)?;
    word(content.expose_secret(), &place(file))
}

/// Reads a file that holds a secret of several lines, such as a private key.
pub fn read_document(file: &Path) -> Result<SecretString, SecretError> {
    let content = read(file)?;
    match clean(content.expose_secret()) {
        "" => Err(SecretError::empty(&place(file))),
        text => Ok(SecretString::from(text)),
    }
}

fn place(file: &Path) -> String {
    format!("the secret file {}", file.display())
}

fn read(file: &Path) -> Result<SecretString, SecretError> {
    let place = place(file);
    let mut bytes = Vec::new();
    File::open(file)
        .inspect(|open| warn_if_open_to_all(open, file))
        .and_then(|open| open.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| SecretError(format!("cannot read {place}: {error}")))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(SecretError(format!(
            "{place} is larger than any secret: more than {LARGEST_FILE} bytes"
        )));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SecretString::from(text)),
        // The byte order marks of UTF-16, as older versions of PowerShell write files.
        Err(error) if matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) => Err(
            SecretError(format!("{place} is text in UTF-16: save it as UTF-8")),
        ),
        Err(_) => Err(SecretError(format!("{place} is no text in UTF-8"))),
    }
}

/// The permission of everybody on the machine to read a file.
const READABLE_BY_ALL: u32 = 0o004;

/// Warns of a file that everybody on the machine may read, once as long as it stays so.
fn warn_if_open_to_all(open: &File, file: &Path) {
    static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let Ok(told) = open.metadata() else { return };
    let is_open = told.is_file() && told.permissions().mode() & READABLE_BY_ALL != 0;
    let mut warned = WARNED.lock();
    if !is_open {
        warned.remove(file);
    } else if warned.insert(file.to_owned()) {
        tracing::warn!(
            file = %file.display(),
            "everybody on this machine may read a secret: `chmod o-r` the file"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_without_what_tools_add_to_it() {
        for content in ["word", "\u{feff}word\r\n", "\r\n word\t\n\n"] {
            let file = file(content.as_bytes());
            assert_eq!(read_word(file.path()).unwrap().expose_secret(), "word");
            assert_eq!(read_document(file.path()).unwrap().expose_secret(), "word");
        }
        let lines = file("\u{feff}first\r\nsecond\r\n".as_bytes());
        let document = read_document(lines.path()).unwrap();
        assert_eq!(document.expose_secret(), "first\r\nsecond");
        assert!(read_word(lines.path()).is_err());
    }

    #[test]
    fn what_is_no_text_is_refused_by_its_file_and_not_quoted() {
        let utf_16 = [&[0xff, 0xfe][..], b"p\0l\0a\0n\0t\0e\0d\0"].concat();
        let endless = vec![b'x'; 1024 * 1024 + 1];
        for (content, expected) in [
            (&utf_16[..], "UTF-16: save it as UTF-8"),
            (b"planted\xff", "is no text in UTF-8"),
            (&endless, "larger than any secret"),
            ("\u{feff}\r\n".as_bytes(), "is empty"),
        ] {
            let file = file(content);
            for error in [read_word(file.path()), read_document(file.path())] {
                let sentence = error.unwrap_err().to_string();
                assert!(sentence.contains(expected), "{sentence}");
                assert!(sentence.contains(file.path().to_str().unwrap()));
                assert!(!sentence.contains("planted"), "{sentence}");
            }
        }
    }
}
