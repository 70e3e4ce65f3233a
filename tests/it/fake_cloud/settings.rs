//! The keys of a backend of kind `fake`.

use std::path::PathBuf;

use quota_oracle::secret::{SecretSource, SecretString};
use reqwest::Url;
use serde::Deserialize;

/// The keys of kind `fake` in a `[[backends]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawSettings")]
pub(super) struct Settings {
    /// The project to read.
    pub(super) project: String,
    /// The token that calls are signed with.
    pub(super) token: SecretSource,
    /// The address at which the cloud answers.
    pub(super) endpoint: Url,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    project: String,
    token_file: Option<PathBuf>,
    token: Option<SecretString>,
    endpoint_url: String,
}

impl TryFrom<RawSettings> for Settings {
    type Error = String;

    fn try_from(raw: RawSettings) -> Result<Self, Self::Error> {
        let token = SecretSource::given("token", raw.token_file, raw.token);
        // The URL is not repeated, because it may hold a password.
        let endpoint = Url::parse(&raw.endpoint_url).ok();
        let is_usable = |url: &Url| url.has_host() && matches!(url.scheme(), "http" | "https");
        Ok(Self {
            project: raw.project,
            token: token
                .map_err(|error| error.to_string())?
                .ok_or("`token_file` is missing")?,
            endpoint: endpoint
                .filter(is_usable)
                .ok_or("`endpoint_url` is not of the form http://HOST or https://HOST")?,
        })
    }
}
