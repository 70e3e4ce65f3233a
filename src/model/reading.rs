//! What one read of a cloud brings home, and what it covers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::location::name;
use super::{AccountId, BackendName, Capacity, Container, Failure, Quota, QuotaKey, Region};

name! {
    /// A fetch unit within its backend: a region's name on AWS, `tenant` on Nebius.
    UnitId
}

/// What one read of the cloud covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchUnit {
    /// Its name within the backend.
    pub id: UnitId,
    /// The regions that are known before the first read; more may come home with it.
    pub regions: Vec<Region>,
}

/// A fetch unit among all backends: what is coalesced, refreshed and leased.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKey {
    /// The backend.
    pub backend: BackendName,
    /// The unit within it.
    pub unit: UnitId,
}

impl fmt::Display for UnitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.backend, self.unit)
    }
}

/// Everything that one read of a unit brought home.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Reading {
    /// The account that was read, where the cloud told it.
    pub account: Option<AccountId>,
    /// The quotas of each region.
    pub regions: BTreeMap<Region, Arc<Snapshot>>,
    /// What each region has room for now, where the cloud gives such advice.
    pub capacity: BTreeMap<Region, Vec<Capacity>>,
    /// What could not be read besides, such as usage without the permission for it.
    pub gaps: Vec<Failure>,
    /// Which of that was of quotas, and only for now.
    pub incomplete: Incomplete,
}

/// What could not be told for now, so that the reading before may know better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incomplete {
    /// Some limits.
    pub limits: bool,
    /// Usage.
    pub usage: bool,
}

/// All quotas of one region, as read at one moment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    quotas: Vec<Quota>,
}

impl Snapshot {
    /// A snapshot of these rows, in their order.
    pub fn new(mut quotas: Vec<Quota>) -> Self {
        quotas.sort_by(|a, b| (&a.key, &a.container).cmp(&(&b.key, &b.container)));
        Self { quotas }
    }

    /// The rows, ordered by service, code and container.
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// The row of this quota and container.
    pub fn find(&self, key: &QuotaKey, container: Option<&Container>) -> Option<&Quota> {
        self.quotas
            .binary_search_by(|row| (&row.key, row.container.as_ref()).cmp(&(key, container)))
            .ok()
            .map(|found| &self.quotas[found])
    }
}
