//! Callers of the protocol: access keys, the backends that each may see, and their region.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use jiff::Timestamp;

use crate::http::settings::{AwsAnswers, AwsClient, AwsProtocolSettings};
use crate::model::BackendName;
use crate::secret::SecretText;

use super::authorization::Authorization;
use super::error::AwsError;
use super::signature::{self, SignedRequest};

/// The backend that `/aws` stands for where several could be meant.
const DEFAULT_BACKEND: &str = "aws";

/// The keys that requests are signed with.
#[derive(Debug)]
pub(super) struct Callers {
    verify: bool,
    clients: BTreeMap<String, AwsClient>,
}

/// An authenticated caller, and the region of the request.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    pub(super) region: String,
    /// Nobody in particular where signatures are not verified.
    client: Option<&'a AwsClient>,
}

impl Callers {
    pub(super) fn new(settings: AwsProtocolSettings) -> Self {
        let by_key = |client: AwsClient| (client.access_key_id.clone(), client);
        Self {
            verify: settings.verify,
            clients: settings.clients.into_iter().map(by_key).collect(),
        }
    }

    /// Lets a caller in whose signature is right, or, without verification, who has one at all.
    pub(super) fn admit(
        &self,
        head: &Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Caller<'_>, AwsError> {
        let authorization = Authorization::of(&head.headers)?;
        let client = self.clients.get(authorization.access_key_id);
        if self.verify {
            let key = client.ok_or_else(AwsError::unknown_key)?;
            let verify = |secret: &SecretText| {
                let request = SignedRequest::new(head, body);
                signature::verify(request, &authorization, secret.expose(), now)
            };
            let secret = key.secret_access_key.get();
            verify(&secret).or_else(|refusal| {
                // The secret may have been renewed since its file was last read.
                match key.secret_access_key.after_refusal() {
                    renewed if renewed != secret => verify(&renewed),
                    _ => Err(refusal),
                }
            })?;
        }
        Ok(Caller {
            region: authorization.region.to_owned(),
            client,
        })
    }
}

impl Caller<'_> {
    fn sees(&self, backend: &BackendName) -> bool {
        let only = self.client.and_then(|client| client.backends.as_ref());
        only.is_none_or(|backends| backends.contains(backend))
    }

    /// The backend of that name, or the one that `/aws` stands for, and what it answers.
    pub(super) fn backend<'b>(
        &self,
        asked: Option<&str>,
        backends: &'b BTreeMap<BackendName, AwsAnswers>,
    ) -> Result<(&'b BackendName, AwsAnswers), AwsError> {
        let mut seen: Vec<_> = backends
            .iter()
            .filter(|(name, _)| self.sees(name))
            .map(|(name, answers)| (name, *answers))
            .collect();
        let named = |wanted: &str| seen.iter().position(|(name, _)| name.as_str() == wanted);
        let (place, refusal) = match asked {
            Some(name) => (
                named(name),
                AwsError::unknown(format!(
                    "this access key may not ask about a backend `{name}` of kind `aws`, or there \
                     is none"
                )),
            ),
            None if seen.len() == 1 => return Ok(seen.remove(0)),
            None => (
                named(DEFAULT_BACKEND),
                AwsError::illegal_argument(
                    "/aws stands for the only backend of kind `aws` that the access key may ask \
                     about, or for the one named `aws`: use /aws/<backend>",
                ),
            ),
        };
        place.map(|place| seen.swap_remove(place)).ok_or(refusal)
    }
}
