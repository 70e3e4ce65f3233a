//! The store that replicas share, whole, and one replica's part in it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::bulletin::Bulletin;
use super::fetch_lock::FetchLock;
use super::lease_store::LeaseStore;
use super::rate_share::RateShare;
use super::status::StoreStatus;

/// The store that replicas share, whole.
pub trait SharedStore: FetchLock + RateShare + LeaseStore + Bulletin + fmt::Debug {
    /// Keeps the connection, and tells of every change; runs for as long as the service does.
    fn keep(self: Arc<Self>) -> BoxFuture<'static, ()>;
}

/// One replica's part in what all agree on; clones are the same replica.
#[derive(Clone, Debug)]
pub struct Coordination {
    /// The store.
    pub store: Arc<dyn SharedStore>,
    /// Whether it answers, and its time.
    pub status: Arc<StoreStatus>,
    /// The most replicas that there may be, by which the rate is divided while the store is away.
    pub max_replicas: u32,
}
