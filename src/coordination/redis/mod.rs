//! The store that replicas share: Redis, Valkey, or whatever else speaks their protocol and runs
//! scripts.
//!
//! Each step that has to be whole is a script; whatever one touches has one hash tag. A command that
//! fails or is not answered in time makes the store away for everybody at once (`link`), until a
//! connection can be made that answers and can be written to.

mod address;
mod board;
mod connection;
mod keys;
mod ledger;
mod link;
mod locks;
mod notices;
mod rates;
mod scripts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, broadcast};

use super::{Notice, RedisAccess, StoreStatus};
use crate::clock::Clock;
use crate::model::BackendName;
use crate::secret::{ExposeSecret, SecretSource};

pub use address::AddressError;

use address::Address;
use connection::Connection;
use keys::Keys;
use scripts::Scripts;

/// So many notices may be unread before the oldest are lost; the slow poll finds what they told.
const NOTICES: usize = 4096;

/// The store that replicas share.
pub struct RedisStore {
    access: RedisAccess,
    keys: Keys,
    scripts: Scripts,
    /// Tells this replica from others.
    me: String,
    clock: Clock,
    status: Arc<StoreStatus>,
    connection: ArcSwapOption<Connection>,
    lost: Notify,
    notices: broadcast::Sender<Notice>,
    /// For what is told without waiting.
    itself: Weak<Self>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl RedisStore {
    /// A store that is not connected to yet; the digest of each backend's account tells it from
    /// others of its name.
    pub fn new(
        access: RedisAccess,
        prefix: String,
        accounts: BTreeMap<BackendName, String>,
        clock: Clock,
    ) -> Arc<Self> {
        Arc::new_cyclic(|itself| Self {
            access,
            keys: Keys::new(prefix, accounts),
            scripts: Scripts::default(),
            me: format!("{:016x}", rand::random::<u64>()),
            clock,
            status: Arc::new(StoreStatus::new(clock)),
            connection: ArcSwapOption::empty(),
            lost: Notify::new(),
            notices: broadcast::Sender::new(NOTICES),
            itself: Weak::clone(itself),
        })
    }

    /// Whether the store answers, and its time.
    pub fn status(&self) -> Arc<StoreStatus> {
        Arc::clone(&self.status)
    }

    /// Reads the address, as a check of the configuration: whether it can be understood.
    pub fn check_address(url: &str, may_have_password: bool) -> Result<(), AddressError> {
        let address = Address::parse(url)?;
        match address.has_password() && !may_have_password {
            true => Err(AddressError::with_password()),
            false => Ok(()),
        }
    }

    /// Returns the address as its files say now.
    fn address(&self) -> Result<Address, String> {
        let read = |source: &SecretSource| {
            let word = source.read_word(&self.access.base);
            word.map_err(|error| error.to_string())
        };
        let url = read(&self.access.url)?;
        let password = self.access.password.as_ref().map(read).transpose()?;
        let address = Address::parse(url.expose_secret());
        let address = address.map_err(|error| format!("its address {error}"))?;
        Ok(address.with_password(password))
    }
}
