//! Who may do what: bearer tokens, compared in constant time.

pub(super) mod visibility;

use std::sync::Arc;

use axum::http::{HeaderMap, Method, header};
use subtle::ConstantTimeEq;

use super::error::{Kind, Problem};
use super::settings::{Scope, Token};

/// The tokens that are let in; without any, everybody is.
#[derive(Debug)]
pub(super) struct Tokens(Vec<Arc<Token>>);

/// Whoever asks, for as long as the request lasts.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// No tokens are configured.
    Anyone,
    /// The bearer of this token.
    Bearer(Arc<Token>),
}

impl Tokens {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self(tokens.into_iter().map(Arc::new).collect())
    }

    /// Who sent these headers, if they may call at all.
    pub(super) fn caller(&self, headers: &HeaderMap, method: &Method) -> Result<Caller, Problem> {
        if self.0.is_empty() {
            return Ok(Caller::Anyone);
        }
        let Some(presented) = presented(headers, method) else {
            return Err(Problem::new(
                Kind::Unauthenticated,
                "this service needs a token: send `Authorization: Bearer <token>`",
            ));
        };
        let presented = Token::hash(&presented);
        // Every token is compared, whether or not one has matched, so that time tells nothing.
        let mut bearer = None;
        for token in &self.0 {
            if bool::from(token.sha256.ct_eq(&presented)) {
                bearer = Some(token);
            }
        }
        match bearer {
            Some(token) => Ok(Caller::Bearer(Arc::clone(token))),
            None => Err(Problem::new(
                Kind::Unauthenticated,
                "nobody has this token here",
            )),
        }
    }
}

/// The token in the headers: as a bearer's, or as the password that a browser asks its user for.
///
/// A browser sends a password along with any page's requests, so it only ever reads.
fn presented(headers: &HeaderMap, method: &Method) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") && method.is_safe() {
        use base64::Engine;
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(credentials.trim())
            .ok()?;
        let (_, password) = String::from_utf8(decoded)
            .ok()?
            .split_once(':')
            .map(|(user, password)| (user.to_owned(), password.to_owned()))?;
        return Some(password);
    }
    None
}

impl Caller {
    /// Refuses what the token's scopes do not allow.
    pub(super) fn require(&self, scope: Scope) -> Result<(), Problem> {
        match self {
            Self::Anyone => Ok(()),
            Self::Bearer(token) if token.allows(scope) => Ok(()),
            Self::Bearer(token) => Err(Problem::new(
                Kind::Forbidden,
                format!(
                    "this needs the scope `{}`, which the token `{}` does not have",
                    scope.as_str(),
                    token.name
                ),
            )),
        }
    }

    /// Whether the backend exists for the caller.
    pub(super) fn sees(&self, backend: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Bearer(token) => token.sees(backend),
        }
    }

    /// What logs call the caller.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Anyone => "anyone",
            Self::Bearer(token) => &token.name,
        }
    }
}
