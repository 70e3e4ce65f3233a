//! The answers of token services (RFC 6749, sections 5.1 and 5.2).

use std::time::Duration;

use serde::Deserialize;

use super::IssuedToken;
use crate::clouds::kit::rest::Answer;
use crate::model::Failure;
use crate::secret::SecretString;

/// Tokens live for an hour or some, so that none is believed to live for longer than a day.
const LONGEST_LIFETIME_SECONDS: u64 = 24 * 60 * 60;

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: Seconds,
    token_type: String,
}

/// A number of seconds, which Azure's metadata service writes as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// A refusal of a token service.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::clouds) struct TokenRefusal {
    /// The word of the standard, such as `invalid_client`.
    pub(in crate::clouds) error: String,
    /// The sentence for people.
    pub(in crate::clouds) error_description: String,
    /// The numbers of Microsoft's, which say more than the word.
    pub(in crate::clouds) error_codes: Vec<u64>,
}

/// Returns the token that a service or a machine's metadata has issued.
pub(in crate::clouds) fn issued(answer: &Answer) -> Result<IssuedToken, Failure> {
    let is_bearer = |token: &TokenAnswer| {
        token.token_type.eq_ignore_ascii_case("bearer")
            && !token.access_token.is_empty()
            && token.expires_in.number().is_some()
    };
    let token = answer.json(is_bearer)?;
    let seconds = token.expires_in.number().unwrap_or_default();
    Ok(IssuedToken {
        secret: SecretString::from(token.access_token),
        lifetime: Duration::from_secs(seconds.min(LONGEST_LIFETIME_SECONDS)),
    })
}

impl Seconds {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}
