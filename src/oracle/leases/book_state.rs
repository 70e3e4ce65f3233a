//! The leases of all backends, as the book's lock guards them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{
    AccountId, BackendName, CloudKind, Lease, LeaseId, Leased, Ledger, Moment, Passed, Quota,
    Region, RequestKey, Snapshot, UnitId,
};

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
    /// The account, once it is known.
    pub(super) account: Option<(CloudKind, AccountId)>,
    /// The other backends of the account, whose leases count here as well.
    pub(super) peers: Vec<BackendName>,
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
    /// The store that replicas share is away.
    StoreAway,
}

impl BookState {
    /// Lets the clock pass for a backend.
    pub(super) fn pass(
        &mut self,
        backend: &BackendName,
        now: Moment,
    ) -> Option<&mut BackendLeases> {
        let Passed { ended, shown } = self.backends.get_mut(backend)?.ledger.pass(now);
        if !ended.is_empty() || !shown.is_empty() {
            let ledger = &self.backends.get(backend)?.ledger;
            let shown = shown.iter().filter_map(|id| ledger.get(id));
            self.tell(backend, ended.iter().chain(shown));
            for lease in &ended {
                // The journal has when it ends, so that a restart knows it too.
                self.live -= 1;
                self.keys.end(lease, now);
            }
        }
        self.backends.get_mut(backend)
    }

    /// Lets the clock pass for a backend and those of the same account; returns what they hold.
    pub(super) fn held(&mut self, backend: &BackendName, now: Moment) -> Option<Held<'_>> {
        let peers = self.pass(backend, now)?.peers.clone();
        for peer in &peers {
            self.pass(peer, now);
        }
        let all = [backend].into_iter().chain(&peers);
        let ledgers = all.filter_map(|name| Some(&self.backends.get(name)?.ledger));
        Some(Held {
            ledgers: ledgers.collect(),
        })
    }

    /// Tells everybody that these leases of a backend have changed what is held.
    pub(super) fn tell<'a>(
        &self,
        backend: &BackendName,
        changed: impl IntoIterator<Item = &'a Lease>,
    ) {
        let Some(leases) = self.backends.get(backend) else {
            return;
        };
        for lease in changed {
            let own = leases.units.get(&lease.unit);
            let own = own.filter(|_| !lease.is_global());
            let all = leases.units.values().filter(|_| own.is_none());
            for changes in own.into_iter().chain(all) {
                changes.fetch_add(1, Ordering::Release);
            }
        }
        self.signal(leases);
        for peer in leases
            .peers
            .iter()
            .filter_map(|peer| self.backends.get(peer))
        {
            for changes in peer.units.values() {
                changes.fetch_add(1, Ordering::Release);
            }
            self.signal(peer);
        }
    }

    /// Signals what a backend and those of the same account have now.
    fn signal(&self, leases: &BackendLeases) {
        let peers = leases.peers.iter();
        let peers = peers.filter_map(|peer| self.backends.get(peer));
        let ledgers = || {
            let peers = peers.clone().map(|peer| &peer.ledger);
            peers.chain([&leases.ledger])
        };
        let live = ledgers().map(Ledger::len).sum();
        let next_change = ledgers().filter_map(Ledger::next_change).min();
        leases.signals.tell(live, next_change);
    }

    /// Notes the account of a backend; tells the backends that turn out to be of the same one.
    pub(super) fn note_account(
        &mut self,
        backend: &BackendName,
        account: (CloudKind, AccountId),
    ) -> Vec<BackendName> {
        let Some(leases) = self.backends.get_mut(backend) else {
            return Vec::new();
        };
        if leases.account.as_ref() == Some(&account) {
            return Vec::new();
        }
        leases.account = Some(account);
        let accounts: Vec<_> = self
            .backends
            .iter()
            .map(|(name, leases)| (name.clone(), leases.account.clone()))
            .collect();
        for (name, leases) in &mut self.backends {
            let same = accounts.iter().filter(|(other, account)| {
                other != name && account.is_some() && *account == leases.account
            });
            leases.peers = same.map(|(other, _)| other.clone()).collect();
        }
        for leases in self.backends.values() {
            for changes in leases.units.values() {
                changes.fetch_add(1, Ordering::Release);
            }
            self.signal(leases);
        }
        self.backends[backend].peers.clone()
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

    /// Returns all leases that live.
    pub(super) fn live_leases(&self) -> Vec<Lease> {
        let backends = self.backends.values();
        let leases = backends.flat_map(|backend| backend.ledger.leases());
        leases.cloned().collect()
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

/// The leases that count for a backend: its own, and those of other backends of its account.
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    ledgers: Vec<&'a Ledger>,
}

impl Held<'_> {
    /// Whether any lease concerns the region.
    pub(super) fn concerns(&self, region: &Region) -> bool {
        self.ledgers.iter().any(|ledger| ledger.concerns(region))
    }

    /// Returns how much counts of the rows that a region shows; see [`Ledger::leased`].
    pub(super) fn leased(
        &self,
        region: &Region,
        rows: &Snapshot,
        observed_at: impl Fn(&Quota) -> Option<Moment>,
        now: Moment,
        except: Option<&LeaseId>,
    ) -> Leased {
        let mut leased = Leased::NOTHING;
        for ledger in &self.ledgers {
            leased.merge(ledger.leased(region, rows, &observed_at, now, except));
        }
        leased
    }
}
