//! The sources of access tokens: the token service, a file, or the virtual machine's metadata.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde::Serialize;

use super::credentials::KeyFile;
use super::errors;
use super::operations::{EXCHANGE_TOKEN, METADATA_TOKEN};
use super::settings::{CredentialsSettings, Settings};
use crate::clouds::kit::endpoint::Endpoint;
use crate::clouds::kit::rest::{Rest, ask};
use crate::clouds::kit::token::{IssueToken, IssuedToken, issued};
use crate::model::{Failure, FailureKind, Region};
use crate::secret::{ExposeSecret, READ_EVERY, Renewed, SecretError, SecretString, SecretText};
use crate::source::CallContext;
use crate::upstream::Upstream;

/// RFC 7523, section 2.1.
#[cfg(test)]
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const METADATA_PATH: &str = "computeMetadata/v1/instance/service-accounts/default/token";

/// The metadata server refuses requests without it, which a page in a browser cannot set.
const METADATA_FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");

const ONLY_ON_GOOGLE: &str = "credentials from metadata work only on a Google Cloud machine that \
                              has a service account";

/// The token service answers in a fraction of a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Issues access tokens.
#[derive(Debug)]
pub(super) struct TokenSource {
    source: Source,
    rest: Rest,
    upstream: Upstream,
    region: Region,
}

#[derive(Debug)]
enum Source {
    /// The key is read again for each exchange, so that a rotated one needs no restart.
    Exchange {
        key: Renewed<KeyFile>,
        configured: Option<Endpoint>,
    },
    Given {
        token: Renewed<SecretText>,
    },
    Metadata {
        url: Url,
    },
}

#[derive(Serialize)]
#[serde(tag = "grant_type")]
enum Grant<'a> {
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    Assertion { assertion: &'a str },
    #[serde(rename = "refresh_token")]
    Refresh {
        client_id: &'a str,
        client_secret: &'a str,
        refresh_token: &'a str,
    },
}

impl TokenSource {
    /// The source that the settings name; fails if what they point to cannot be read.
    pub(super) fn new(
        settings: &Settings,
        base: PathBuf,
        rest: Rest,
        upstream: Upstream,
        region: Region,
    ) -> Result<Self, Failure> {
        let source = match &settings.credentials {
            CredentialsSettings::Token(token) => {
                let token = token.clone();
                let read = move || token.read_word(&base).map(SecretText::from);
                Source::Given {
                    token: Renewed::read(read).map_err(denied)?,
                }
            }
            CredentialsSettings::Metadata => Source::Metadata {
                url: settings.endpoints.metadata.below(METADATA_PATH),
            },
            CredentialsSettings::ServiceAccount(_) | CredentialsSettings::AuthorizedUser(_) => {
                let credentials = settings.credentials.clone();
                let read = move || match KeyFile::read(&credentials, &base) {
                    Ok(Some(key)) => Ok(key),
                    Ok(None) => Err(SecretError::new("these credentials have no key file")),
                    Err(failure) => Err(SecretError::new(failure.detail)),
                };
                Source::Exchange {
                    key: Renewed::read(read).map_err(denied)?,
                    configured: settings.endpoints.tokens.clone(),
                }
            }
        };
        Ok(Self {
            source,
            rest,
            upstream,
            region,
        })
    }

    /// Returns the key file as it is now, if there is one.
    pub(super) fn key(&self) -> Option<std::sync::Arc<KeyFile>> {
        match &self.source {
            Source::Exchange { key, .. } => Some(key.get()),
            Source::Given { .. } | Source::Metadata { .. } => None,
        }
    }

    async fn exchange(&self, key: &KeyFile, url: &Url) -> Result<IssuedToken, Failure> {
        let signed;
        let grant = match key {
            KeyFile::ServiceAccount(account) => {
                signed = account.sign(url.as_str())?;
                Grant::Assertion {
                    assertion: signed.expose_secret(),
                }
            }
            KeyFile::AuthorizedUser(user) => Grant::Refresh {
                client_id: &user.client_id,
                client_secret: user.client_secret.expose(),
                refresh_token: user.refresh_token.expose(),
            },
        };
        let request = self.rest.request(Method::POST, url.clone()).form(&grant);
        let answer = ask("the token service", request, ATTEMPT_TIMEOUT).await?;
        match answer.status.is_success() {
            true => issued(&answer),
            false => Err(errors::token_failure(&answer, &key.advice())),
        }
    }

    async fn ask_metadata(&self, url: &Url) -> Result<IssuedToken, Failure> {
        let request = self.rest.request(Method::GET, url.clone());
        let request = request.header(METADATA_FLAVOR, "Google");
        let answer = ask("the metadata server", request, ATTEMPT_TIMEOUT).await;
        let answer = answer.map_err(|failure| failure.with_hint(ONLY_ON_GOOGLE))?;
        if answer.status.is_success() {
            return issued(&answer);
        }
        let mut failure = answer.refusal();
        // Whatever the server finds wrong with the machine's own question is the machine's.
        if answer.status.is_client_error() && !failure.kind.is_transient() {
            failure.kind = FailureKind::Denied;
            failure = failure.with_hint(ONLY_ON_GOOGLE);
        }
        Err(failure)
    }
}

impl IssueToken for TokenSource {
    fn version(&self) -> u64 {
        match &self.source {
            Source::Given { token } => {
                token.read_now();
                token.version()
            }
            Source::Exchange { key, .. } => {
                key.read_now();
                key.version()
            }
            Source::Metadata { .. } => 0,
        }
    }

    async fn issue(&self, context: &CallContext) -> Result<IssuedToken, Failure> {
        let Self {
            upstream, region, ..
        } = self;
        let answer = match &self.source {
            Source::Given { token } => {
                return Ok(IssuedToken {
                    secret: SecretString::from(token.read_now().expose()),
                    lifetime: READ_EVERY,
                });
            }
            Source::Exchange { key, configured } => {
                let key = key.read_now();
                let url = key.token_uri(configured.as_ref());
                let attempt = || self.exchange(&key, &url);
                let call = upstream.call(region, &EXCHANGE_TOKEN, context, attempt);
                call.await?
            }
            Source::Metadata { url } => {
                let attempt = || self.ask_metadata(url);
                let call = upstream.call(region, &METADATA_TOKEN, context, attempt);
                call.await?
            }
        };
        Ok(answer.value)
    }
}

fn denied(error: SecretError) -> Failure {
    Failure::new(FailureKind::Denied, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grant_of_an_assertion_is_named_as_its_rfc_does() {
        let grant = serde_json::to_value(Grant::Assertion { assertion: "a.b.c" }).unwrap();
        assert_eq!(grant["grant_type"], JWT_BEARER);
    }
}
