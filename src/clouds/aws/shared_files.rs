//! The configuration and credentials files that AWS's tools share.
//!
//! They are read here and not by the SDK, which reads them once in a process's life and takes a
//! byte order mark for part of the first profile's name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::secret::{SecretError, SecretText, read_document};

/// The variables that say where the files are.
pub(super) const VARIABLES: &[&str] = &["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HOME"];

/// The places of the files.
#[derive(Clone, Debug)]
pub(super) struct SharedFiles {
    config: Option<PathBuf>,
    credentials: Option<PathBuf>,
}

/// The files as they were read; nothing for one that does not exist.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contents {
    config: Option<SecretText>,
    credentials: Option<SecretText>,
}

impl SharedFiles {
    /// The files at the places that these variables name.
    pub(super) fn new(variables: &BTreeMap<&'static str, String>) -> Self {
        let given = |name| variables.get(name).filter(|value| !value.is_empty());
        let home = given("HOME").map(PathBuf::from);
        let place = |variable, default: &str| match given(variable) {
            Some(path) => match (path.strip_prefix("~/"), &home) {
                (Some(path), Some(home)) => Some(home.join(path)),
                _ => Some(PathBuf::from(path)),
            },
            None => home.as_ref().map(|home| home.join(default)),
        };
        Self {
            config: place("AWS_CONFIG_FILE", ".aws/config"),
            credentials: place("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        }
    }

    /// Reads the files.
    pub(super) fn read(&self) -> Result<Contents, SecretError> {
        let read = |file: &Option<PathBuf>| {
            let there = file.as_ref().filter(|file| file.exists());
            let content = there.map(|file| read_document(file)).transpose();
            Ok::<_, SecretError>(content?.map(SecretText::from))
        };
        Ok(Contents {
            config: read(&self.config)?,
            credentials: read(&self.credentials)?,
        })
    }
}

/// Their places, for sentences.
impl fmt::Display for SharedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = [&self.config, &self.credentials].into_iter().flatten();
        let places: Vec<_> = places.map(|place| place.display().to_string()).collect();
        f.write_str(&places.join(" and "))
    }
}

impl Contents {
    /// Returns the files as the SDK takes them; nothing if there are none.
    pub(super) fn for_sdk(&self) -> Option<EnvConfigFiles> {
        let files = [
            (EnvConfigFileKind::Config, &self.config),
            (EnvConfigFileKind::Credentials, &self.credentials),
        ];
        if files.iter().all(|(_, content)| content.is_none()) {
            return None;
        }
        let files = files
            .into_iter()
            .filter_map(|(kind, content)| Some((kind, content.as_ref()?)));
        let builder = files.fold(EnvConfigFiles::builder(), |builder, (kind, content)| {
            builder.with_contents(kind, content.expose())
        });
        Some(builder.build())
    }
}
