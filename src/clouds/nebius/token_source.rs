//! The sources of access tokens: the token service, a file, or the virtual machine's metadata.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use nebius_api::iam::v1::token_exchange_service_client::TokenExchangeServiceClient;
use nebius_api::iam::v1::{CreateTokenResponse, ExchangeTokenRequest};
use reqwest::{Method, Url};
use serde::Deserialize;
use tonic::Code;

use super::credentials::ServiceAccountKey;
use super::errors;
use super::grpc::{self, Line};
use super::operations::{EXCHANGE_TOKEN, METADATA_TOKEN};
use super::settings::{CredentialsSettings, Endpoints};
use crate::clouds::kit::rest::{Rest, ask};
use crate::clouds::kit::token::{IssueToken, IssuedToken};
use crate::model::{Failure, FailureKind, Region};
use crate::secret::{ExposeSecret, READ_EVERY, Renewed, SecretError, SecretString, SecretText};
use crate::source::CallContext;
use crate::upstream::Upstream;

/// nebius/gosdk, auth/imds_tokener.go.
const METADATA_PATH: &str = "v1/iam/sa/token";

const ONLY_ON_NEBIUS: &str = "credentials from metadata work only on a Nebius virtual machine \
                              that has a service account";

/// No token is believed to live longer, so that adding its life to a time never overflows.
const LONGEST_LIFETIME_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Issues access tokens.
#[derive(Debug)]
pub(super) struct TokenSource {
    source: Source,
    upstream: Upstream,
    region: Region,
}

#[derive(Debug)]
enum Source {
    Exchange(Box<Exchange>),
    Given { token: Renewed<SecretText> },
    Metadata { url: Url },
}

/// The key is read again for each exchange, so that a rotated one needs no restart.
#[derive(Debug)]
struct Exchange {
    key: Renewed<ServiceAccountKey>,
    client: TokenExchangeServiceClient<Line>,
}

impl TokenSource {
    /// The source that the settings name; fails if what they point to cannot be read.
    pub(super) fn new(
        credentials: &CredentialsSettings,
        endpoints: &Endpoints,
        base: PathBuf,
        upstream: Upstream,
        region: Region,
    ) -> Result<Self, Failure> {
        let source = match credentials {
            CredentialsSettings::Token(token) => {
                let token = token.clone();
                let read = move || token.read_word(&base).map(SecretText::from);
                Source::Given {
                    token: Renewed::read(read).map_err(denied)?,
                }
            }
            CredentialsSettings::Metadata => Source::Metadata {
                url: metadata_url(endpoints)?,
            },
            CredentialsSettings::CredentialsFile(_)
            | CredentialsSettings::ServiceAccountKey { .. } => {
                let credentials = credentials.clone();
                // Half a key is none.
                let read = move || {
                    let key = ServiceAccountKey::read(&credentials, &base)?;
                    key.sign().map(|_| key)
                };
                let read = move || read().map_err(|failure| SecretError::new(failure.detail));
                Source::Exchange(Box::new(Exchange {
                    key: Renewed::read(read).map_err(denied)?,
                    client: TokenExchangeServiceClient::new(Line::open(&endpoints.tokens)?),
                }))
            }
        };
        Ok(Self {
            source,
            upstream,
            region,
        })
    }
}

impl IssueToken for TokenSource {
    fn version(&self) -> u64 {
        match &self.source {
            Source::Given { token } => {
                token.read_now();
                token.version()
            }
            Source::Exchange(exchange) => {
                exchange.key.read_now();
                exchange.key.version()
            }
            Source::Metadata { .. } => 0,
        }
    }

    async fn issue(&self, context: &CallContext) -> Result<IssuedToken, Failure> {
        match &self.source {
            Source::Given { token } => Ok(IssuedToken {
                secret: SecretString::from(token.read_now().expose()),
                lifetime: READ_EVERY,
            }),
            Source::Exchange(exchange) => {
                let key = exchange.key.read_now();
                let attempt = || ask_token_service(&key, exchange.client.clone(), context);
                let region = &self.region;
                let call = self
                    .upstream
                    .call(region, &EXCHANGE_TOKEN, context, attempt);
                Ok(call.await?.value)
            }
            Source::Metadata { url } => {
                let attempt = || ask_metadata(url);
                let region = &self.region;
                let call = self
                    .upstream
                    .call(region, &METADATA_TOKEN, context, attempt);
                Ok(call.await?.value)
            }
        }
    }
}

fn denied(error: SecretError) -> Failure {
    Failure::new(FailureKind::Denied, error.to_string())
}

async fn ask_token_service(
    key: &ServiceAccountKey,
    client: TokenExchangeServiceClient<Line>,
    context: &CallContext,
) -> Result<IssuedToken, Failure> {
    let jwt = key.sign()?;
    // RFC 8693, section 2.1, with the values of nebius/api, README.
    let request = ExchangeTokenRequest {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange".to_owned(),
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token".to_owned(),
        subject_token: jwt.expose_secret().to_owned(),
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt".to_owned(),
        ..Default::default()
    };
    let exchange = || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.exchange(request).await }
    };
    match grpc::attempt(EXCHANGE_TOKEN.name, context, exchange).await? {
        Ok(answer) => understand(answer.into_inner()),
        Err(status) => {
            let mut failure = errors::failure(&status);
            // Whoever answers is not trusted to keep our secret out of the sentence.
            failure.detail = failure.detail.replace(jwt.expose_secret(), "…");
            Err(match status.code() {
                Code::Unauthenticated | Code::PermissionDenied | Code::InvalidArgument => {
                    failure.kind = FailureKind::Denied;
                    failure.with_hint(key.advice())
                }
                _ => failure,
            })
        }
    }
}

fn understand(answer: CreateTokenResponse) -> Result<IssuedToken, Failure> {
    let lifetime = u64::try_from(answer.expires_in).ok();
    let bearer = answer.token_type.eq_ignore_ascii_case("bearer");
    match lifetime {
        Some(seconds) if bearer && !answer.access_token.is_empty() => Ok(IssuedToken {
            secret: SecretString::from(answer.access_token),
            lifetime: Duration::from_secs(seconds.min(LONGEST_LIFETIME_SECONDS)),
        }),
        _ => Err(malformed()),
    }
}

fn metadata_url(endpoints: &Endpoints) -> Result<Url, Failure> {
    let base = endpoints.metadata.0.to_string();
    let url = format!("{}/{METADATA_PATH}", base.trim_end_matches('/'));
    Url::parse(&url).map_err(|error| Failure::new(FailureKind::Denied, format!("{url}: {error}")))
}

#[derive(Deserialize)]
struct MetadataToken {
    access_token: String,
    expires_at: Timestamp,
}

async fn ask_metadata(url: &Url) -> Result<IssuedToken, Failure> {
    let request = Rest::shared().request(Method::GET, url.clone());
    let answer = ask("the metadata service", request, grpc::ATTEMPT_TIMEOUT).await;
    let answer = answer.map_err(|failure| failure.with_hint(ONLY_ON_NEBIUS))?;
    if !answer.status.is_success() {
        let mut failure = answer.refusal();
        // Whatever the service finds wrong with the machine's own question is the machine's.
        if answer.status.is_client_error() && !failure.kind.is_transient() {
            failure.kind = FailureKind::Denied;
        }
        return Err(failure);
    }
    let token = answer.json(|token: &MetadataToken| !token.access_token.is_empty())?;
    let left = token.expires_at.duration_since(Timestamp::now());
    Ok(IssuedToken {
        secret: SecretString::from(token.access_token),
        lifetime: Duration::try_from(left).unwrap_or_default(),
    })
}

fn malformed() -> Failure {
    Failure::new(
        FailureKind::Malformed,
        "the token service's answer is no bearer token",
    )
}
