//! The clients that may speak the AWS protocol to us.

use std::path::PathBuf;

use serde::Deserialize;

pub use crate::model::{
    NativeAnswers as AwsAnswers, NativeMarket as AwsMarket, NativeValue as AwsValue,
};

use crate::model::BackendName;
use crate::secret::{Renewed, SecretString, SecretText};

/// The `[aws_protocol]` table; without it the endpoint is off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsProtocolSettings<C = AwsClient> {
    /// Whether callers have to sign with one of the clients' keys; `false` on loopback only.
    pub verify: bool,
    /// The keys that callers sign with.
    pub clients: Vec<C>,
}

impl<C> AwsProtocolSettings<C> {
    /// The kind of backend that this protocol can speak of.
    pub const KIND: &'static str = "aws";
}

impl<C> Default for AwsProtocolSettings<C> {
    fn default() -> Self {
        Self {
            verify: true,
            clients: Vec::new(),
        }
    }
}

/// One of the `clients` as an operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsClientSettings {
    /// The access key id, which need not be one of AWS.
    pub access_key_id: String,
    /// The file that holds the secret access key.
    pub secret_access_key_file: Option<PathBuf>,
    /// The secret access key itself, which only an environment variable may state.
    pub secret_access_key: Option<SecretString>,
    /// The only backends that exist for the client; without it, all.
    pub backends: Option<Vec<String>>,
}

/// A client whose signature is accepted.
#[derive(Clone, Debug)]
pub struct AwsClient {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key, which changes with its file.
    pub secret_access_key: Renewed<SecretText>,
    /// The only backends that exist for the client; without it, all.
    pub backends: Option<Vec<BackendName>>,
}
