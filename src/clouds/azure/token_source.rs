//! The sources of access tokens: Microsoft Entra ID for applications, a metadata service for
//! managed identities.

use std::time::Duration;

use reqwest::header::HeaderName;
use reqwest::{Method, RequestBuilder, Url};
use serde::Serialize;

use super::credentials::{Identity, Proof, sign};
use super::errors::{self, ONLY_ON_AZURE};
use super::operations::{METADATA_TOKEN, REQUEST_TOKEN};
use super::settings::Settings;
use crate::clouds::kit::rest::{Rest, ask};
use crate::clouds::kit::token::{IssueToken, IssuedToken, issued};
use crate::model::{Failure, FailureKind, Region};
use crate::secret::{ExposeSecret, Renewed, SecretString, SecretText};
use crate::source::CallContext;
use crate::upstream::Upstream;

/// Tokens are the same for all locations.
const EVERYWHERE: &str = "global";

/// The metadata service refuses requests without it, which a page in a browser cannot set.
const METADATA: HeaderName = HeaderName::from_static("metadata");

const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-identity-header");

const MACHINE_PATH: &str = "metadata/identity/oauth2/token";
const MACHINE_VERSION: &str = "2018-02-01";
const APP_VERSION: &str = "2019-08-01";

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Both answer in a fraction of a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Azure's own libraries renew a token five minutes before its end.
const RENEWED_AHEAD: Duration = Duration::from_secs(5 * 60);

/// Issues access tokens.
#[derive(Debug)]
pub(super) struct TokenSource {
    source: Source,
    /// The service that tokens are asked for, whatever address it is called at.
    resource: &'static str,
    rest: Rest,
    upstream: Upstream,
    region: Region,
}

#[derive(Debug)]
enum Source {
    Form {
        url: Url,
        client_id: String,
        proof: Proof,
    },
    Metadata {
        url: Url,
        header: (HeaderName, SecretText),
    },
}

/// The request of an application.
#[derive(Serialize)]
struct Form<'a> {
    client_id: &'a str,
    grant_type: &'static str,
    scope: String,
    #[serde(flatten)]
    proof: FormProof<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FormProof<'a> {
    Secret {
        client_secret: &'a str,
    },
    Assertion {
        client_assertion_type: &'static str,
        client_assertion: &'a str,
    },
}

impl TokenSource {
    pub(super) fn new(
        settings: &Settings,
        identity: Identity,
        rest: Rest,
        upstream: Upstream,
    ) -> Self {
        let resource = settings.cloud.management();
        let metadata = |mut url: Url, version, client_id: Option<String>, header| {
            url.query_pairs_mut()
                .append_pair("api-version", version)
                .append_pair("resource", resource);
            if let Some(client_id) = client_id {
                url.query_pairs_mut().append_pair("client_id", &client_id);
            }
            Source::Metadata { url, header }
        };
        let source = match identity {
            Identity::Application {
                tenant,
                client_id,
                proof,
            } => Source::Form {
                url: settings
                    .authority()
                    .below(&format!("{tenant}/oauth2/v2.0/token")),
                client_id,
                proof,
            },
            Identity::Machine { client_id } => {
                let url = settings.metadata().below(MACHINE_PATH);
                let header = (METADATA, SecretText::from(SecretString::from("true")));
                metadata(url, MACHINE_VERSION, client_id, header)
            }
            Identity::App {
                endpoint,
                header,
                client_id,
            } => metadata(
                endpoint.0,
                APP_VERSION,
                client_id,
                (IDENTITY_HEADER, header),
            ),
        };
        Self {
            source,
            resource,
            rest,
            upstream,
            region: Region::from(EVERYWHERE),
        }
    }

    async fn request(&self, url: &Url, form: &Form<'_>) -> Result<IssuedToken, Failure> {
        let request = self.rest.request(Method::POST, url.clone()).form(form);
        let answer = ask("the token service", request, ATTEMPT_TIMEOUT).await?;
        match answer.status.is_success() {
            true => issued(&answer),
            false => Err(errors::token_failure(&answer)),
        }
    }

    async fn ask_metadata(&self, request: RequestBuilder) -> Result<IssuedToken, Failure> {
        let answer = ask("the metadata service", request, ATTEMPT_TIMEOUT).await;
        let answer = answer.map_err(|failure| failure.with_hint(ONLY_ON_AZURE))?;
        match answer.status.is_success() {
            true => issued(&answer),
            false => Err(errors::metadata_failure(&answer)),
        }
    }
}

impl Proof {
    fn secret(&self) -> &Renewed<SecretText> {
        match self {
            Self::Secret(secret) | Self::Certificate(secret) | Self::Federated(secret) => secret,
        }
    }
}

impl IssueToken for TokenSource {
    fn renewed_after(&self, lifetime: Duration) -> Duration {
        lifetime
            .saturating_sub(RENEWED_AHEAD)
            .max(lifetime.mul_f64(0.5))
    }

    fn version(&self) -> u64 {
        match &self.source {
            Source::Form { proof, .. } => {
                proof.secret().read_now();
                proof.secret().version()
            }
            Source::Metadata { .. } => 0,
        }
    }

    async fn issue(&self, context: &CallContext) -> Result<IssuedToken, Failure> {
        let Self {
            upstream, region, ..
        } = self;
        let answer = match &self.source {
            Source::Form {
                url,
                client_id,
                proof,
            } => {
                let secret = proof.secret().read_now();
                let signed;
                let assertion = |client_assertion| FormProof::Assertion {
                    client_assertion_type: ASSERTION_TYPE,
                    client_assertion,
                };
                let proof = match proof {
                    Proof::Secret(_) => FormProof::Secret {
                        client_secret: secret.expose(),
                    },
                    Proof::Federated(_) => assertion(secret.expose()),
                    Proof::Certificate(_) => {
                        signed = sign(&secret, client_id, url.as_str())
                            .map_err(|why| Failure::new(FailureKind::Denied, why))?;
                        assertion(signed.expose_secret())
                    }
                };
                let form = Form {
                    client_id,
                    grant_type: "client_credentials",
                    scope: format!("{}/.default", self.resource),
                    proof,
                };
                let attempt = || self.request(url, &form);
                upstream
                    .call(region, &REQUEST_TOKEN, context, attempt)
                    .await
            }
            Source::Metadata { url, header } => {
                let (name, value) = header;
                let attempt = || {
                    let request = self.rest.request(Method::GET, url.clone());
                    self.ask_metadata(request.header(name, value.expose()))
                };
                upstream
                    .call(region, &METADATA_TOKEN, context, attempt)
                    .await
            }
        };
        Ok(answer?.value)
    }
}
