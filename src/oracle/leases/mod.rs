//! Leases: room held for launches under way, so that parallel callers do not race for one quota.
//!
//! The [`LeaseBook`] has the leases of all backends under one lock. Whoever takes a lease is judged
//! under that lock, so that nobody else can take the room in between; everybody else sees what is
//! held through the view of a region, which asks the [`UnitLeases`] of its unit.

mod among_replicas;
mod book;
mod book_state;
mod entry_form;
mod new_lease;
mod replica;
mod request_keys;
mod settings;
mod shared_ledger;
mod signals;
mod taking;
mod unit_leases;

pub use book::StoreAway;
pub use settings::{LeaseSettings, WhileAway};
pub use taking::{LeaseRefusal, LeaseWish};

pub(super) use book::LeaseBook;
pub(super) use taking::take_unbacked;
pub(super) use unit_leases::UnitLeases;
