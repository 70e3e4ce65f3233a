//! The key pair of the simulated service accounts, generated so that no private key is committed.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use jsonwebtoken::DecodingKey;
use pem::{EncodeConfig, LineEnding, Pem};

/// One pair for the whole process: generating it takes a good part of a second in an unoptimized
/// build, and tests start many simulators.
static KEYS: LazyLock<Keys> = LazyLock::new(Keys::generate);

struct Keys {
    private_pem: String,
    public: DecodingKey,
}

impl Keys {
    fn generate() -> Self {
        // The size of the keys that the own command lines of Nebius and Google create.
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("the system has randomness");
        let private: Pkcs8V1Der<'_> = pair.as_der().expect("a generated key can be encoded");
        let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
        Self {
            private_pem: pem::encode_config(&Pem::new("PRIVATE KEY", private.as_ref()), lines),
            public: DecodingKey::from_rsa_der(pair.public_key().as_ref()),
        }
    }
}

/// The private key in PEM, which is worth nothing outside this process.
pub fn private_key_pem() -> &'static str {
    &KEYS.private_pem
}

/// The public key that is registered with the service accounts.
pub(crate) fn public_key() -> &'static DecodingKey {
    &KEYS.public
}
