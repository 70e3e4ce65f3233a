//! A token: what an operator writes about it, and what is kept of it.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use strum::Display;

use crate::model::BackendName;
use crate::secret::{Renewed, SecretString};

/// A `[[server.tokens]]` table: a name, the token in one of three ways, and what it allows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// The bearer's name in logs.
    pub name: String,
    /// The file that holds the token.
    pub token_file: Option<PathBuf>,
    /// The token's SHA-256 in hexadecimal.
    pub sha256: Option<String>,
    /// The token itself, which only an environment variable may state.
    pub token: Option<SecretString>,
    /// The bearer's permissions.
    #[serde(default = "read_only")]
    pub scopes: Vec<Scope>,
    /// The only backends that exist for the bearer; without it, all.
    pub backends: Option<Vec<String>>,
}

fn read_only() -> Vec<Scope> {
    vec![Scope::Read]
}

/// A permission of a bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Ask for what is known.
    Read,
    /// Spend calls to the cloud, take leases, report launches.
    Verify,
    /// Everything.
    Admin,
}

/// The SHA-256 of a token's text.
pub type TokenHash = [u8; 32];

/// A token that is let in; the token's text is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The bearer's name in logs.
    pub name: String,
    /// The hash of the token's text, which changes with its file.
    pub hash: Renewed<TokenHash>,
    /// The bearer's permissions.
    pub scopes: Vec<Scope>,
    /// The only backends that exist for the bearer; without it, all.
    pub backends: Option<Vec<BackendName>>,
}

impl Token {
    /// Hashes a token's text; tokens are kept and compared as hashes.
    pub fn hash(text: &str) -> TokenHash {
        Sha256::digest(text.as_bytes()).into()
    }

    /// Whether the bearer may do what asks for `scope`.
    pub fn allows(&self, scope: Scope) -> bool {
        // Each scope includes those before it.
        self.scopes.iter().any(|own| *own >= scope)
    }

    /// Whether the backend exists for the bearer.
    pub fn sees(&self, backend: &str) -> bool {
        self.backends
            .as_ref()
            .is_none_or(|backends| backends.iter().any(|known| known.as_str() == backend))
    }
}

// The hash of a short token can be guessed back, so it is not shown either.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("backends", &self.backends)
            .finish_non_exhaustive()
    }
}
