//! The sessions of browsers that have logged in.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::http::settings::{Token, TokenHash};

/// The name of the cookie.
pub(in crate::http) const COOKIE: &str = "quota_oracle_session";

/// A session lasts a working day.
pub(in crate::http) const LASTS: Duration = Duration::from_secs(12 * 3600);

/// Sessions that are kept at a time; of more, those that were not used for longest go.
const MOST: u64 = 10_000;

/// The sessions of this process, by the digest of their id.
#[derive(Debug)]
pub(in crate::http) struct Sessions(moka::sync::Cache<[u8; 32], Arc<Session>>);

#[derive(Debug)]
struct Session {
    token: Arc<Token>,
    /// The token's hash at the login: the session ends when the token is replaced.
    hash: TokenHash,
    ends_at: Instant,
}

impl Default for Sessions {
    fn default() -> Self {
        Self(moka::sync::Cache::new(MOST))
    }
}

impl Sessions {
    /// Begins a session of a token's bearer; returns its id.
    pub(in crate::http) fn begin(&self, token: Arc<Token>, hash: TokenHash) -> String {
        let id: [u8; 32] = rand::random();
        let id = URL_SAFE_NO_PAD.encode(id);
        let session = Session {
            token,
            hash,
            ends_at: Instant::now() + LASTS,
        };
        self.0.insert(digest(&id), Arc::new(session));
        id
    }

    /// Returns whose session it is, if it has not ended.
    pub(in crate::http) fn bearer(&self, id: &str) -> Option<Arc<Token>> {
        let session = self.0.get(&digest(id))?;
        let is_live = Instant::now() < session.ends_at && *session.token.hash.get() == session.hash;
        is_live.then(|| Arc::clone(&session.token))
    }

    /// Ends a session.
    pub(in crate::http) fn end(&self, id: &str) {
        self.0.invalidate(&digest(id));
    }
}

/// The digest of an id, by which it is found: comparing it tells nothing of the id.
fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

/// Returns the id of a session in a request's cookies.
pub(in crate::http) fn session_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, id) = pairs.find(|(name, _)| *name == COOKIE)?;
    Some(id.to_owned())
}
