//! Callers: the service account and the person who are registered, and the tokens issued to them.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::key::{private_key_pem, public_key};
use crate::steering::IssuedTokens;

/// The service account that the simulation knows.
pub const CLIENT_EMAIL: &str = "quota-oracle@simulated-project.iam.gserviceaccount.com";

/// The id of its key.
pub const PRIVATE_KEY_ID: &str = "0123456789abcdef0123456789abcdef01234567";

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The longest life of an assertion.
const LONGEST_ASSERTION_SECONDS: u64 = 3600;

/// The person's part.
const CLIENT_ID: &str = "764086051850-simulated.apps.googleusercontent.com";
const CLIENT_SECRET: &str = "d-simulated-client-secret";
const REFRESH_TOKEN: &str = "1//simulated-refresh-token";

pub(super) fn key_file(project: &str, token_uri: &str) -> String {
    let key = serde_json::json!({
        "type": "service_account",
        "project_id": project,
        "private_key_id": PRIVATE_KEY_ID,
        "private_key": private_key_pem(),
        "client_email": CLIENT_EMAIL,
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    });
    format!("{key:#}")
}

pub(super) fn authorized_user_file(project: &str) -> String {
    let file = serde_json::json!({
        "type": "authorized_user",
        "account": "",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "quota_project_id": project,
        "universe_domain": "googleapis.com",
    });
    format!("{file:#}")
}

/// The tokens that are out.
pub(super) struct Tokens {
    token_url: String,
    /// Whether each is a person's.
    pub(super) issued: IssuedTokens<bool>,
    key_ids: BTreeSet<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(lifetime: Duration, token_url: String) -> Self {
        Self {
            token_url,
            issued: IssuedTokens::new("ya29.", lifetime),
            key_ids: BTreeSet::from([PRIVATE_KEY_ID.to_owned()]),
        }
    }

    pub(super) fn register_key(&mut self, registered: bool) {
        match registered {
            true => self.key_ids.insert(PRIVATE_KEY_ID.to_owned()),
            false => self.key_ids.remove(PRIVATE_KEY_ID),
        };
    }

    /// Whether the token in these headers is a person's; nothing if there is none that is good.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Option<bool> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok();
        self.issued.owner(value).copied()
    }

    /// Verifies that the registered service account signed this assertion for this token service,
    /// not long ago; the description of what is wrong otherwise.
    pub(super) fn verify(&self, assertion: &str) -> Result<(), &'static str> {
        let signature = "Invalid JWT Signature.";
        let header = decode_header(assertion).map_err(|_| "Invalid JWT: Failed parsing.")?;
        if !header.kid.is_some_and(|kid| self.key_ids.contains(&kid)) {
            return Err(signature);
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_audience(&[&self.token_url]);
        validation.leeway = 0;
        let short_lived = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a \
                           reasonable timeframe. Check your iat and exp values in the JWT claim.";
        let claims = decode::<Claims>(assertion, public_key(), &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => short_lived,
                ErrorKind::InvalidAudience => "Invalid JWT: audience is not the token service.",
                _ => signature,
            })?
            .claims;
        if claims.iss != CLIENT_EMAIL {
            return Err("Invalid grant: account not found");
        }
        if claims.exp.saturating_sub(claims.iat) > LONGEST_ASSERTION_SECONDS {
            return Err(short_lived);
        }
        match claims.scope.split(' ').any(|scope| scope == SCOPE) {
            true => Ok(()),
            false => Err("Invalid OAuth scope or ID token audience provided."),
        }
    }

    /// Whether a refresh token and what belongs to it are the person's.
    pub(super) fn verify_refresh(id: &str, secret: &str, token: &str) -> bool {
        (id, secret, token) == (CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN)
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    scope: String,
    iat: u64,
    exp: u64,
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
    use serde_json::{Value, json};

    use super::*;

    const URL: &str = "http://127.0.0.1:1/token";

    fn verify(change: impl FnOnce(&mut Header, &mut Value)) -> Result<(), &'static str> {
        let tokens = Tokens::new(Duration::from_secs(60), URL.to_owned());
        let now = get_current_timestamp();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(PRIVATE_KEY_ID.to_owned());
        let mut claims = json!({"iss": CLIENT_EMAIL, "scope": SCOPE, "aud": URL,
                                "iat": now, "exp": now + 3600});
        change(&mut header, &mut claims);
        let key = EncodingKey::from_rsa_pem(private_key_pem().as_bytes()).unwrap();
        tokens.verify(&encode(&header, &claims, &key).unwrap())
    }

    #[test]
    fn an_assertion_is_held_to_everything_that_google_checks() {
        let now = get_current_timestamp();
        assert_eq!(verify(|_, _| {}), Ok(()));
        type Change = fn(&mut Header, &mut Value, u64);
        let wrong: [(&str, Change); 6] = [
            ("Signature", |header, _, _| {
                header.kid = Some("other".to_owned())
            }),
            ("account not found", |_, claims, _| {
                claims["iss"] = json!("a@b")
            }),
            ("audience", |_, claims, _| {
                claims["aud"] = json!("https://elsewhere/token")
            }),
            ("scope", |_, claims, _| claims["scope"] = json!("email")),
            ("short-lived", |_, claims, now| {
                claims["exp"] = json!(now + 7200)
            }),
            ("short-lived", |_, claims, now| {
                claims["exp"] = json!(now - 100)
            }),
        ];
        for (named, change) in wrong {
            let refusal = verify(|header, claims| change(header, claims, now)).unwrap_err();
            assert!(refusal.contains(named), "{named}: {refusal}");
        }
        let tokens = Tokens::new(Duration::from_secs(60), URL.to_owned());
        assert!(tokens.verify("no.jwt.at-all").is_err());
    }
}
