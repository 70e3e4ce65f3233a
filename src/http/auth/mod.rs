//! Authentication and authorization: bearer tokens, compared in constant time, and the sessions of
//! browsers.

pub(super) mod scope;
pub(super) mod sessions;
pub(super) mod visibility;

use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use headers::authorization::{Basic, Bearer};
use headers::{Authorization, HeaderMapExt};
use subtle::ConstantTimeEq;

use super::error::{Kind, Problem};
use super::settings::{Scope, Token, TokenHash};
use sessions::{Sessions, session_of};

/// The tokens that are let in; without any, everybody is.
#[derive(Debug)]
pub(super) struct Tokens {
    all: Vec<Arc<Token>>,
    sessions: Sessions,
}

/// The authenticated caller of a request.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// No tokens are configured.
    Anyone,
    /// The bearer of this token.
    Bearer(Arc<Token>),
}

/// Marks the answer to a caller who was let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownCaller;

impl Tokens {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self {
            all: tokens.into_iter().map(Arc::new).collect(),
            sessions: Sessions::default(),
        }
    }

    /// The sessions of browsers.
    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Authenticates the sender of these headers.
    pub(super) fn caller(&self, headers: &HeaderMap, method: &Method) -> Result<Caller, Problem> {
        if self.all.is_empty() {
            return Ok(Caller::Anyone);
        }
        let Some(presented) = presented(headers, method) else {
            // A browser sends a cookie along with any page's requests, so it only ever reads.
            let session = method.is_safe().then(|| session_of(headers)).flatten();
            let bearer = session.and_then(|id| self.sessions.bearer(&id));
            if let Some(token) = bearer {
                return Ok(Caller::Bearer(token));
            }
            return Err(Problem::new(
                Kind::Unauthenticated,
                "this service needs a token: send `Authorization: Bearer <token>`",
            ));
        };
        self.known(&presented).map(Caller::Bearer)
    }

    /// Returns the token of that text, with its hash; nothing where none is needed.
    pub(super) fn of_text(&self, text: &str) -> Result<Option<(Arc<Token>, TokenHash)>, Problem> {
        if self.all.is_empty() {
            return Ok(None);
        }
        let presented = Token::hash(text);
        let token = self.known(&presented)?;
        Ok(Some((token, presented)))
    }

    fn known(&self, presented: &TokenHash) -> Result<Arc<Token>, Problem> {
        let bearer = self.bearer(presented, |token| token.hash.get());
        // The token may have been renewed since its file was last read.
        let renewed = || self.bearer(presented, |token| token.hash.after_refusal());
        let token = bearer.or_else(renewed).map(Arc::clone);
        token.ok_or_else(|| Problem::new(Kind::Unauthenticated, "unknown token"))
    }

    /// Finds the token with the presented hash among those that `hash` gives.
    fn bearer(
        &self,
        presented: &TokenHash,
        hash: impl Fn(&Token) -> Arc<TokenHash>,
    ) -> Option<&Arc<Token>> {
        // Every token is compared, whether or not one has matched, so that time tells nothing.
        let mut bearer = None;
        for token in &self.all {
            if bool::from(hash(token).ct_eq(presented)) {
                bearer = Some(token);
            }
        }
        bearer
    }
}

/// Returns the token in the headers: a bearer's, or the password that a browser asks its user for.
///
/// A browser sends a password along with any page's requests, so it only ever reads.
fn presented(headers: &HeaderMap, method: &Method) -> Option<TokenHash> {
    if let Some(Authorization(bearer)) = headers.typed_get::<Authorization<Bearer>>() {
        return Some(Token::hash(bearer.token().trim()));
    }
    let basic = headers.typed_get::<Authorization<Basic>>();
    let Authorization(basic) = basic.filter(|_| method.is_safe())?;
    Some(Token::hash(basic.password()))
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
                    "this needs the scope `{scope}`, which the token `{}` does not have",
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

    /// The caller's name in logs.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Anyone => "anyone",
            Self::Bearer(token) => &token.name,
        }
    }
}
