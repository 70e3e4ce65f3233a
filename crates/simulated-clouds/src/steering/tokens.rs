//! Access tokens that were issued and are accepted for a while.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// The tokens that are out.
pub struct IssuedTokens<O> {
    prefix: &'static str,
    lifetime: Duration,
    issued: u64,
    out: HashMap<String, (Instant, O)>,
}

/// Whether a token is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a, O> {
    /// It is, and belongs to this owner.
    Good(&'a O),
    /// It was, until this long ago.
    Expired(Duration),
    /// It was never issued, or was revoked.
    Unknown,
}

impl<O> fmt::Debug for IssuedTokens<O> {
    /// Leaves out the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens").finish_non_exhaustive()
    }
}

impl<O> IssuedTokens<O> {
    pub(crate) fn new(prefix: &'static str, lifetime: Duration) -> Self {
        Self {
            prefix,
            lifetime,
            issued: 0,
            out: HashMap::new(),
        }
    }

    /// Returns a new token and how long it lives.
    pub(crate) fn issue(&mut self, owner: O) -> (String, Duration) {
        self.issued += 1;
        let token = format!("{}simulated-{}", self.prefix, self.issued);
        let until = Instant::now() + self.lifetime;
        self.out.insert(token.clone(), (until, owner));
        (token, self.lifetime)
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    pub(super) fn revoke_all(&mut self) {
        self.out.clear();
    }

    /// Returns whether the token in an `Authorization` header is accepted.
    pub(crate) fn standing(&self, authorization: Option<&str>) -> Standing<'_, O> {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
        let Some((until, owner)) = token.and_then(|token| self.out.get(token)) else {
            return Standing::Unknown;
        };
        let now = Instant::now();
        match now < *until {
            true => Standing::Good(owner),
            false => Standing::Expired(now.duration_since(*until)),
        }
    }

    /// Returns the owner of the token in an `Authorization` header, if it is accepted.
    pub(crate) fn owner(&self, authorization: Option<&str>) -> Option<&O> {
        match self.standing(authorization) {
            Standing::Good(owner) => Some(owner),
            Standing::Expired(_) | Standing::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_accepted_until_it_expires_or_is_revoked() {
        let mut tokens = IssuedTokens::new("t-", Duration::from_secs(60));
        let (token, lifetime) = tokens.issue("somebody");
        assert_eq!((&*token, lifetime.as_secs()), ("t-simulated-1", 60));
        let header = format!("Bearer {token}");
        let header = Some(&*header);
        assert_eq!(tokens.standing(header), Standing::Good(&"somebody"));
        assert_eq!(tokens.standing(Some(&token)), Standing::Unknown);
        assert_eq!(tokens.standing(None), Standing::Unknown);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(tokens.owner(header), Some(&"somebody"));
        tokio::time::advance(Duration::from_secs(3)).await;
        let expired = Standing::Expired(Duration::from_secs(2));
        assert_eq!(tokens.standing(header), expired);
        assert_eq!(tokens.owner(header), None);
        tokens.revoke_all();
        assert_eq!(tokens.standing(header), Standing::Unknown);
    }
}
