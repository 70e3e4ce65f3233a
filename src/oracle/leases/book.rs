//! The leases of all backends, under one lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::{Mutex, MutexGuard};

use crate::clock::Clock;
use crate::model::{
    AccountId, Amount, BackendName, CloudKind, Lease, LeaseId, Ledger, Moment, QuotaPlace,
    RequestKey, UnitKey,
};
use crate::oracle::changes::Changes;
use crate::oracle::sharing::Sharing;
use crate::store::LeaseJournal;
use crate::telemetry::LeasesSample;

use super::book_state::{BackendLeases, BookState, Held, Untaken};
use super::new_lease::{NewLease, restore_moments};
use super::settings::LeaseSettings;
use super::shared_ledger::SharedLedger;
use super::signals::BackendSignals;

/// The leases of all backends.
#[derive(Debug)]
pub(in crate::oracle) struct LeaseBook {
    state: Mutex<BookState>,
    pub(super) settings: LeaseSettings,
    pub(super) clock: Clock,
    journal: Option<Arc<LeaseJournal>>,
    /// The ledger that replicas share.
    pub(super) shared: Option<SharedLedger>,
}

/// Whether a lease may be backed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backing {
    /// If the launch was judged to fit.
    AsJudged,
    /// It may not: nobody knows what other replicas have granted.
    Never,
}

/// The end of judging a launch.
#[derive(Debug)]
pub(super) enum Planned<T> {
    /// No lease is to be granted; the same request may have taken one before.
    Answer(T, Option<Lease>),
    /// This lease is to be granted.
    Grant(T, Lease),
}

impl<T> Planned<T> {
    pub(super) fn into_answer(self) -> (T, Option<Lease>) {
        match self {
            Self::Answer(judged, lease) => (judged, lease),
            Self::Grant(judged, lease) => (judged, Some(lease)),
        }
    }
}

/// The store that replicas share is away, and only it could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreAway;

impl LeaseBook {
    pub(in crate::oracle) fn new(
        settings: LeaseSettings,
        clock: Clock,
        journal: Option<Arc<LeaseJournal>>,
        sharing: Option<Sharing>,
    ) -> Self {
        Self {
            state: Mutex::default(),
            settings,
            clock,
            journal,
            shared: sharing.map(|sharing| SharedLedger::new(sharing, settings.store_away)),
        }
    }

    /// Returns the leases, locked.
    pub(super) fn state(&self) -> MutexGuard<'_, BookState> {
        self.state.lock()
    }

    /// Notes a unit; returns where its changes are counted, and the signals of its backend.
    pub(super) fn register(
        &self,
        unit: &UnitKey,
        backend_changes: &Arc<Changes>,
    ) -> (Arc<AtomicU64>, Arc<BackendSignals>) {
        let mut state = self.state.lock();
        let backend = state.backends.entry(unit.backend.clone());
        let backend = backend.or_insert_with(|| BackendLeases {
            ledger: Ledger::default(),
            signals: Arc::new(BackendSignals::new(Arc::clone(backend_changes))),
            account: None,
            peers: Vec::new(),
            units: BTreeMap::new(),
        });
        let changes = backend.units.entry(unit.unit.clone()).or_default();
        (Arc::clone(changes), Arc::clone(&backend.signals))
    }

    /// Notes the account that a backend has turned out to be.
    pub(in crate::oracle) fn note_account(
        &self,
        backend: &BackendName,
        kind: &CloudKind,
        account: &AccountId,
    ) {
        let account_of_kind = (kind.clone(), account.clone());
        let peers = self.state.lock().note_account(backend, account_of_kind);
        for peer in peers {
            tracing::info!(%backend, other = %peer, "two backends are one account: they share leases");
        }
    }

    /// Takes up the leases that an earlier process has granted, of the backends there are.
    pub(in crate::oracle) fn restore(&self) {
        let Some(journal) = &self.journal else {
            return;
        };
        let now = self.clock.now();
        let mut state = self.state.lock();
        for stored in journal.load(now.wall) {
            let mut lease = stored.lease;
            restore_moments(&mut lease, &self.clock);
            let Some(backend) = state.backends.get_mut(&lease.backend) else {
                continue;
            };
            let request = stored.request;
            if let Some(ended_at) = stored.ended_at {
                if let Some(request) = request {
                    let ended_at = self.clock.restore(ended_at);
                    state.keys.insert_ended(request, lease, ended_at);
                }
                continue;
            }
            if !now.is_before(lease.expires_at) {
                continue;
            }
            if stored.unshared
                && let Some(shared) = &self.shared
            {
                shared.note_unshared(&lease);
            }
            backend.ledger.insert(lease.clone());
            state.tell(&lease.backend, [&lease]);
            state.live += 1;
            if let Some(request) = request {
                state.keys.insert(request, lease.id);
            }
        }
    }

    /// Looks at the leases that count for a backend at `now`.
    pub(super) fn read<T>(
        &self,
        backend: &BackendName,
        now: Moment,
        look: impl FnOnce(&Held<'_>) -> T,
    ) -> Option<T> {
        let mut state = self.state.lock();
        Some(look(&state.held(backend, now)?))
    }

    /// Ends the committed leases of a backend whose launches are shown.
    pub(super) fn settle(
        self: &Arc<Self>,
        backend: &BackendName,
        now: Moment,
        shown_until: impl Fn(&QuotaPlace) -> Option<Moment>,
    ) {
        let mut state = self.state.lock();
        let Some(leases) = state.pass(backend, now) else {
            return;
        };
        // Rows of another backend of the account may be older than those that show the launch.
        if !leases.ledger.has_committed() || !leases.peers.is_empty() {
            return;
        }
        if self.shared.is_some() {
            let shown = leases.ledger.shown(shown_until);
            drop(state);
            if !shown.is_empty() {
                let book = Arc::clone(self);
                tokio::spawn(async move { book.end_soon(&shown).await });
            }
            return;
        }
        let ended = leases.ledger.settle(shown_until);
        if ended.is_empty() {
            return;
        }
        state.tell(backend, &ended);
        for lease in ended {
            self.end(&mut state, &lease, now);
        }
    }

    /// Judges a launch and grants the lease that the judgement allows, among the leases that this
    /// replica knows. The judge gets the leases, the time, and the lease that the same request has
    /// taken before, if it has.
    pub(super) fn take_here<T>(
        &self,
        backend: &BackendName,
        request: Option<&RequestKey>,
        backing: Backing,
        judge: impl Fn(&Held<'_>, Moment, Option<&LeaseId>) -> (T, Option<NewLease>),
    ) -> Result<(T, Option<Lease>), Untaken> {
        let mut state = self.state.lock();
        let planned = self.plan(&mut state, backend, request, backing, judge)?;
        if let Planned::Grant(_, lease) = &planned {
            self.put(&mut state, lease, request);
        }
        Ok(planned.into_answer())
    }

    /// Judges a launch, and returns the lease that is to be granted.
    pub(super) fn plan<T>(
        &self,
        state: &mut BookState,
        backend: &BackendName,
        request: Option<&RequestKey>,
        backing: Backing,
        judge: impl Fn(&Held<'_>, Moment, Option<&LeaseId>) -> (T, Option<NewLease>),
    ) -> Result<Planned<T>, Untaken> {
        let now = self.clock.now();
        let before = state.used(request, now)?;
        let Some(held) = state.held(backend, now) else {
            let (judged, _) = judge(&Held::default(), now, None);
            return Ok(Planned::Answer(judged, None));
        };
        let id = before.as_ref().map(|lease| &lease.id);
        let (judged, new) = judge(&held, now, id);
        if before.is_some() {
            return Ok(Planned::Answer(judged, before));
        }
        let Some(new) = new else {
            return Ok(Planned::Answer(judged, None));
        };
        if state.live >= self.settings.max_live {
            state.pass_all(now);
            if state.live >= self.settings.max_live {
                return Err(Untaken::TooMany);
            }
        }
        let mut lease = new.granted(backend.clone(), now);
        lease.backed &= backing == Backing::AsJudged;
        Ok(Planned::Grant(judged, lease))
    }

    /// Takes up a lease as it is from now on, in place of the one of the same identity.
    pub(super) fn put(&self, state: &mut BookState, lease: &Lease, request: Option<&RequestKey>) {
        if !state.backends.contains_key(&lease.backend) {
            return;
        }
        self.write(lease, request, false);
        if let Some(request) = request {
            state.keys.insert(request.clone(), lease.id.clone());
        }
        let Some(leases) = state.backends.get_mut(&lease.backend) else {
            return;
        };
        let is_new = leases.ledger.get(&lease.id).is_none();
        leases.ledger.insert(lease.clone());
        state.live += usize::from(is_new);
        state.tell(&lease.backend, [lease]);
    }

    /// Ends a lease, if it lives.
    pub(super) fn remove(&self, state: &mut BookState, id: &LeaseId, now: Moment) -> Option<Lease> {
        let mut owners = state.backends.iter_mut();
        let lease = owners.find_map(|(_, leases)| leases.ledger.remove(id))?;
        state.tell(&lease.backend, [&lease]);
        self.end(state, &lease, now);
        Some(lease)
    }

    /// Returns the leases of the backends that the caller sees, the oldest first.
    pub(super) fn leases(&self, sees: impl Fn(&BackendName) -> bool) -> Vec<Lease> {
        let mut state = self.state.lock();
        state.pass_all(self.clock.now());
        let seen = state.backends.iter().filter(|(name, _)| sees(name));
        let leases = seen.flat_map(|(_, backend)| backend.ledger.leases());
        let mut leases: Vec<Lease> = leases.cloned().collect();
        drop(state);
        leases.sort_by(|a, b| {
            let key = |lease: &Lease| (lease.created_at.since_start, lease.id.clone());
            key(a).cmp(&key(b))
        });
        leases
    }

    /// Returns how many leases each backend has and, if asked, how much they hold.
    pub(in crate::oracle) fn samples(&self, with_quotas: bool) -> Vec<LeasesSample> {
        let mut state = self.state.lock();
        state.pass_all(self.clock.now());
        let held = |(place, amount): (&QuotaPlace, Amount)| {
            let region = place.region.as_ref().map(ToString::to_string);
            let code = Arc::clone(&place.key.code);
            (region.unwrap_or_default(), code, amount.get())
        };
        let sample = |(name, leases): (&BackendName, &BackendLeases)| LeasesSample {
            backend: name.clone(),
            live: leases.ledger.len(),
            held: match with_quotas {
                true => leases.ledger.held().map(held).collect(),
                false => Vec::new(),
            },
        };
        state.backends.iter().map(sample).collect()
    }

    /// Notes that a lease, which is in the ledger no more, has ended.
    pub(super) fn end(&self, state: &mut BookState, lease: &Lease, now: Moment) {
        state.live -= 1;
        state.keys.end(lease, now);
        if let Some(journal) = &self.journal {
            journal.end(&lease.id, now.wall);
        }
    }

    /// Writes a lease to the journal; one that is `unshared` is not known to the other replicas.
    pub(super) fn write(&self, lease: &Lease, request: Option<&RequestKey>, unshared: bool) {
        if let Some(journal) = &self.journal {
            let now = self.clock.now().wall;
            match unshared {
                true => journal.put_unshared(lease, request, now),
                false => journal.put(lease, request, now),
            }
        }
    }
}
