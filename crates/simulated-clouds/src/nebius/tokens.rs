//! Callers: the service account that is registered, and the tokens issued to it.

use std::collections::BTreeSet;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use tonic::Status;

use crate::key::{private_key_pem, public_key};
use crate::steering::IssuedTokens;

/// The service account that the simulation knows.
pub const SERVICE_ACCOUNT_ID: &str = "serviceaccount-e00simulated";

/// The id of its registered public key.
pub const PUBLIC_KEY_ID: &str = "publickey-e00simulated";

/// The audience that Nebius's own SDKs put into their JWTs; the cloud's README leaves it out.
const AUDIENCE: &str = "token-service.iam.new.nebiuscloud.net";

pub(super) fn credentials_file() -> String {
    let credentials = serde_json::json!({"subject-credentials": {
        "type": "JWT", "alg": "RS256", "private-key": private_key_pem(),
        "kid": PUBLIC_KEY_ID, "iss": SERVICE_ACCOUNT_ID, "sub": SERVICE_ACCOUNT_ID,
    }});
    format!("{credentials:#}")
}

/// The tokens that are out.
pub(super) struct Tokens {
    pub(super) issued: IssuedTokens<()>,
    key_ids: BTreeSet<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            issued: IssuedTokens::new("ne1", lifetime),
            key_ids: BTreeSet::from([PUBLIC_KEY_ID.to_owned()]),
        }
    }

    pub(super) fn register_key(&mut self, registered: bool) {
        if registered {
            self.key_ids.insert(PUBLIC_KEY_ID.to_owned());
        } else {
            self.key_ids.clear();
        }
    }

    /// Whether the `authorization` header carries a token that is still good.
    pub(super) fn admit(&self, authorization: Option<&str>) -> Result<(), Status> {
        let owner = self.issued.owner(authorization);
        owner
            .copied()
            .ok_or_else(|| Status::unauthenticated("the token is absent, unknown or expired"))
    }

    /// Whether the registered service account signed this JWT for this service, not long ago.
    pub(super) fn verify(&self, jwt: &str) -> Result<(), Status> {
        let refused = |why: &str| Status::unauthenticated(format!("invalid JWT: {why}"));
        let header = decode_header(jwt).map_err(|_| refused("no JWT"))?;
        let known = header.kid.is_some_and(|kid| self.key_ids.contains(&kid));
        if !known {
            return Err(refused("unknown public key"));
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_aud = false;
        validation.leeway = 0;
        let claims = decode::<Claims>(jwt, public_key(), &validation)
            .map_err(|error| refused(&error.to_string()))?
            .claims;
        if claims.iss != claims.sub || claims.iss != SERVICE_ACCOUNT_ID {
            return Err(refused("iss and sub must be the service account"));
        }
        match claims.aud {
            Some(aud) if !aud.names(AUDIENCE) => Err(refused("wrong audience")),
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Option<Audience>,
}

/// One SDK sends a text, another a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}
