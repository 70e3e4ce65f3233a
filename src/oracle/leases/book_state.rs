//! The leases of all backends, as the book's lock guards them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{BackendName, Lease, LeaseId, Ledger, Moment, Passed, RequestKey, UnitId};

use super::request_keys::{RequestKeys, Used};
use super::signals::BackendSignals;

/// The leases of all backends, and the keys of the requests that took them.
#[derive(Debug, Default)]
pub(super) struct BookState {
    pub(super) backends: HashMap<BackendName, BackendLeases>,
    pub(super) live: usize,
    pub(super) keys: RequestKeys,
}

/// The leases of one backend, and whom their changes are told.
#[derive(Debug)]
pub(super) struct BackendLeases {
    pub(super) ledger: Ledger,
    pub(super) signals: Arc<BackendSignals>,
    /// The changes of what is held of each unit's quotas.
    pub(super) units: BTreeMap<UnitId, Arc<AtomicU64>>,
}

/// The cause for which no lease was granted, though there may have been room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untaken {
    /// As many live as may.
    TooMany,
    /// The idempotency key was used for another request.
    KeyReused,
}

impl BookState {
    /// Lets the clock pass for a backend.
    pub(super) fn pass(
        &mut self,
        backend: &BackendName,
        now: Moment,
    ) -> Option<&mut BackendLeases> {
        let leases = self.backends.get_mut(backend)?;
        let Passed { ended, shown } = leases.ledger.pass(now);
        if !ended.is_empty() || !shown.is_empty() {
            let shown: Vec<_> = shown
                .iter()
                .filter_map(|id| leases.ledger.get(id))
                .collect();
            leases.tell(ended.iter().chain(shown));
            for lease in &ended {
                // The journal has when it ends, so that a restart knows it too.
                self.live -= 1;
                self.keys.end(lease, now);
            }
        }
        Some(leases)
    }

    pub(super) fn pass_all(&mut self, now: Moment) {
        let names: Vec<_> = self.backends.keys().cloned().collect();
        for name in names {
            self.pass(&name, now);
        }
    }

    /// Returns the lease that the same request has taken before.
    pub(super) fn used(
        &mut self,
        request: Option<&RequestKey>,
        now: Moment,
    ) -> Result<Option<Lease>, Untaken> {
        let Some(request) = request else {
            return Ok(None);
        };
        // Expired leases are known as ended.
        self.pass_all(now);
        match self.keys.find(request, now) {
            None => Ok(None),
            Some(Used::Otherwise) => Err(Untaken::KeyReused),
            Some(Used::Ended(lease)) => Ok(Some(*lease)),
            Some(Used::Live(id)) => {
                let mut ledgers = self.backends.values().map(|backend| &backend.ledger);
                Ok(ledgers.find_map(|ledger| ledger.get(&id)).cloned())
            }
        }
    }

    /// Returns a lease that lives, of a backend that the caller sees.
    pub(super) fn find(
        &mut self,
        id: &str,
        sees: impl Fn(&BackendName) -> bool,
        now: Moment,
    ) -> Option<Lease> {
        let id = LeaseId::from(id);
        let mut owners = self.backends.iter();
        let owner = owners.find(|(_, backend)| backend.ledger.get(&id).is_some());
        let owner = owner.map(|(name, _)| name.clone()).filter(sees)?;
        let leases = self.pass(&owner, now)?;
        leases.ledger.get(&id).cloned()
    }
}

impl BackendLeases {
    /// Tells everybody that these leases have changed what is held.
    pub(super) fn tell<'a>(&self, leases: impl IntoIterator<Item = &'a Lease>) {
        for lease in leases {
            let own = self.units.get(&lease.unit).filter(|_| !lease.is_global());
            let all = self.units.values().filter(|_| own.is_none());
            for changes in own.into_iter().chain(all) {
                changes.fetch_add(1, Ordering::Release);
            }
        }
        self.signals.tell(&self.ledger);
    }
}
