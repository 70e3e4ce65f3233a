//! What several replicas of the service agree on, and the store through which they do.
//!
//! Four things are shared, each by a trait of its own: who reads a unit ([`FetchLock`]), the rate of
//! calls ([`RateShare`]), the leases ([`LeaseStore`]), and what one replica has learnt and all others
//! want to know ([`Bulletin`]). `redis` is the store that replicas share; `local` has the same rules
//! in one process, for simulations on a paused clock. A plain single process has neither.
//!
//! A store that does not answer is [`Away`]: callers go on by themselves, and are never held up by
//! it for longer than one command may take.

mod away;
mod status;
mod store_time;

mod bulletin;
mod fetch_lock;
mod lease_store;
mod rate_share;
mod shared_store;

mod local;
mod redis;
mod settings;

pub use away::Away;
pub use bulletin::{Board, Bulletin, Notice, Post, Posted};
pub use fetch_lock::{Begun, FetchLock, LOCK_LIVES, ReadKind, ReadLock};
pub use lease_store::{LeaseEntry, LeaseStore, LedgerChanges, LedgerVersion, Written};
pub use local::{LocalHub, LocalReplica};
pub use rate_share::{
    CallEnd, LONG_PAUSE, RateScope, RateShare, SharedPolicy, SharedRate, TokenWish, Turn,
};
pub use redis::{AddressError, RedisStore};
pub use settings::{RedisAccess, Settings};
pub use shared_store::{Coordination, SharedStore};
pub use status::{StoreState, StoreStatus};
pub use store_time::StoreTime;
