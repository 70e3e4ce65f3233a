//! Stories about whole configurations, with clouds that stand in for the real ones.

mod accepted;
mod all_at_once;
mod example;
mod overrides;
mod refused;
mod refused_access;
mod refused_aws;
mod secrets_of_backends;

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::*;
use crate::clouds::{self, CloudSettings, Connection, SecretProblem};
use crate::model::{Failure, FailureKind, NativeAnswers};
use crate::secret::SecretString;
use crate::source::QuotaSource;
use crate::upstream::RateLimit;

/// The clouds of these tests.
static CLOUDS: [Registration; 2] = [
    Registration {
        kind: "aws",
        rate_limit: RateLimit {
            per_second: 4.0,
            burst: std::num::NonZeroU32::new(4).unwrap(),
            concurrency: std::num::NonZeroU32::new(4).unwrap(),
        },
        parse: clouds::parse::<SpeakingStandIn>,
    },
    Registration {
        kind: "nebius",
        rate_limit: RateLimit {
            per_second: 2.0,
            burst: std::num::NonZeroU32::new(3).unwrap(),
            concurrency: std::num::NonZeroU32::new(1).unwrap(),
        },
        parse: clouds::parse::<StandIn>,
    },
];

/// Settings of the shapes that the clouds' own have: optional, nested, tagged, secret.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StandIn {
    credentials: Credentials,
    endpoint_url: Option<String>,
    endpoints: Endpoints,
}

#[derive(Debug, Default, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
enum Credentials {
    #[default]
    Default,
    #[expect(dead_code, reason = "shown by Debug only")]
    Static {
        access_key_id: String,
        secret_access_key_file: Option<PathBuf>,
        secret_access_key: Option<SecretString>,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Endpoints {
    quotas: Option<String>,
}

/// The same for a cloud whose own protocol is spoken here.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct SpeakingStandIn(StandIn);

impl CloudSettings for StandIn {
    fn account_fields(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn check_secrets(&self, _: &Path) -> Result<(), SecretProblem> {
        Ok(())
    }

    fn connect(&self, _: Connection) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        let failure = Failure::new(FailureKind::Denied, "a stand-in connects to nothing");
        Box::pin(async { Err(failure) })
    }
}

impl CloudSettings for SpeakingStandIn {
    fn account_fields(&self) -> Vec<(&'static str, String)> {
        self.0.account_fields()
    }

    fn native_answers(&self) -> Option<NativeAnswers> {
        Some(NativeAnswers::default())
    }

    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem> {
        self.0.check_secrets(base)
    }

    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        self.0.connect(connection)
    }
}

/// A folder with a configuration file and two secrets.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("secrets")).unwrap();
        for (file, content) in [
            ("quota-oracle.toml", text.as_ref()),
            ("secrets/one", b"planted-one\n".as_slice()),
            ("secrets/two", b"planted-two\n"),
            ("secrets/twin", b"planted-one"),
            ("secrets/spaced", b"planted one"),
            ("secrets/empty", b"\n"),
        ] {
            std::fs::write(folder.path().join(file), content).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Loads the file; a refusal speaks of it without the folder.
    fn load(&self, environment: &[(&str, &str)]) -> Result<Config, String> {
        self.load_for(&CLOUDS, environment)
    }

    fn load_for(
        &self,
        clouds: &'static [Registration],
        environment: &[(&str, &str)],
    ) -> Result<Config, String> {
        let file = self.path().join("quota-oracle.toml");
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        match load_for(clouds, Some(&file), environment) {
            Ok(loaded) => Ok(loaded.config),
            Err(error) => {
                let folder = format!("{}/", self.path().display());
                // A small configuration lacks much besides what its story is about.
                let first = error
                    .to_string()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                Err(first.replace(&folder, ""))
            }
        }
    }
}

/// Returns the sentence with which the configuration in `text` is refused.
fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
    match Folder::with(text).load(environment) {
        Ok(_) => panic!("accepted: {text}"),
        Err(sentence) => sentence,
    }
}
