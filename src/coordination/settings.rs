//! Settings of the store that replicas share.

use std::path::PathBuf;

use crate::secret::SecretSource;

/// The store that replicas share, and how many they may be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is, and the password for it.
    pub access: RedisAccess,
    /// The beginning of all keys in it.
    pub prefix: String,
    /// The most replicas that there may be.
    pub max_replicas: u32,
}

/// Where the store's address and password are read from, each time it is connected to.
#[derive(Clone, Debug)]
pub struct RedisAccess {
    /// The address.
    pub url: SecretSource,
    /// The password, where it stands by itself.
    pub password: Option<SecretSource>,
    /// Where relative paths start.
    pub base: PathBuf,
}
