//! The ledger of leases that replicas share, as far as this one has followed it.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use crate::coordination::LedgerVersion;
use crate::model::{Lease, LeaseId};
use crate::oracle::sharing::Sharing;

use super::entry_form::SharedLease;
use super::settings::WhileAway;

/// The ledger that replicas share.
#[derive(Debug)]
pub(super) struct SharedLedger {
    pub(super) sharing: Sharing,
    pub(super) while_away: WhileAway,
    /// Up to where this replica has followed. Held while one writes, so that a replica never
    /// competes with itself.
    pub(super) followed: tokio::sync::Mutex<LedgerVersion>,
    /// What the others do not know yet.
    pub(super) untold: Mutex<Untold>,
}

/// What the other replicas do not know yet.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// Leases that were granted or changed here, as they were last.
    pub(super) changed: BTreeMap<LeaseId, Lease>,
    /// Leases that a new ledger may lack; what others write of them is later.
    pub(super) kept: BTreeMap<LeaseId, Lease>,
    /// Leases that were ended here, or whose grant may have been written unheard.
    pub(super) ended: BTreeMap<LeaseId, SharedLease>,
}

impl SharedLedger {
    pub(super) fn new(sharing: Sharing, while_away: WhileAway) -> Self {
        Self {
            sharing,
            while_away,
            followed: tokio::sync::Mutex::default(),
            untold: Mutex::default(),
        }
    }

    /// Notes a lease that the other replicas do not know.
    pub(super) fn note_unshared(&self, lease: &Lease) {
        let mut untold = self.untold.lock();
        untold.changed.insert(lease.id.clone(), lease.clone());
    }
}

impl Untold {
    pub(super) fn is_something(&self) -> bool {
        !(self.changed.is_empty() && self.kept.is_empty() && self.ended.is_empty())
    }

    pub(super) fn forget(&mut self, told: &BTreeSet<LeaseId>) {
        self.changed.retain(|id, _| !told.contains(id));
        self.kept.retain(|id, _| !told.contains(id));
        self.ended.retain(|id, _| !told.contains(id));
    }
}
