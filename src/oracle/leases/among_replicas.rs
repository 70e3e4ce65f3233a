//! Leases among replicas: each judges by what it knows of the ledger, and writes on condition that
//! nothing has changed meanwhile.
//!
//! While the store is away, what was granted and changed here is kept, and told when it is back. A
//! store that comes back with another ledger has lost the one before: every replica then writes
//! what it knows, and until all have had time for that, grants are not backed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::coordination::{
    Away, LeaseEntry, LedgerChanges, LedgerVersion, SharedStore, StoreStatus, Written,
};
use crate::model::{BackendName, Lease, LeaseId, Moment, RequestKey};

use super::book::{Backing, LeaseBook, Planned, StoreAway};
use super::book_state::{Held, Untaken};
use super::entry_form::{self, SharedLease};
use super::new_lease::NewLease;
use super::settings::WhileAway;
use super::shared_ledger::SharedLedger;

/// A new ledger may lack what replicas hold for so long; they write it within a second.
const FILLING: SignedDuration = SignedDuration::from_secs(5);

/// Other replicas have the rows that a read has brought within this time, lost notices included.
const SEEN_BY_ALL: Duration = Duration::from_secs(15);

impl LeaseBook {
    fn replica<'a>(&'a self, ledger: &'a SharedLedger) -> Replica<'a> {
        Replica { book: self, ledger }
    }

    /// Judges a launch and grants the lease that the judgement allows, in one step. The judge gets
    /// the leases, the time, and the lease that the same request has taken before, if it has.
    pub(super) async fn take<T>(
        &self,
        backend: &BackendName,
        request: Option<RequestKey>,
        wants_lease: bool,
        judge: impl Fn(&Held<'_>, Moment, Option<&LeaseId>) -> (T, Option<NewLease>),
    ) -> Result<(T, Option<Lease>), Untaken> {
        match &self.shared {
            Some(shared) if wants_lease => {
                self.replica(shared)
                    .take(backend, request.as_ref(), &judge)
                    .await
            }
            _ => self.take_here(backend, request.as_ref(), Backing::AsJudged, &judge),
        }
    }

    /// Changes a lease of a backend that the caller sees; nothing if there is none.
    pub(super) async fn change(
        &self,
        id: &str,
        sees: impl Fn(&BackendName) -> bool,
        change: impl Fn(&Lease, Moment) -> Lease,
    ) -> Result<Option<Lease>, StoreAway> {
        if let Some(shared) = &self.shared {
            return self.replica(shared).change(id, &sees, &change).await;
        }
        let now = self.clock.now();
        let mut state = self.state();
        let Some(before) = state.find(id, sees, now) else {
            return Ok(None);
        };
        let after = change(&before, now);
        if after != before {
            let request = state.keys.of(&after.id).cloned();
            self.put(&mut state, &after, request.as_ref());
        }
        Ok(Some(after))
    }

    /// Ends a lease of a backend that the caller sees; returns it as it was.
    pub(super) async fn release(
        &self,
        id: &str,
        sees: impl Fn(&BackendName) -> bool,
    ) -> Result<Option<Lease>, StoreAway> {
        if let Some(shared) = &self.shared {
            return self.replica(shared).release(id, &sees).await;
        }
        let now = self.clock.now();
        let mut state = self.state();
        let Some(lease) = state.find(id, sees, now) else {
            return Ok(None);
        };
        Ok(self.remove(&mut state, &lease.id, now))
    }

    /// Takes up what another replica has done.
    pub(in crate::oracle) async fn follow(&self, from: LedgerVersion, changes: LedgerChanges) {
        if let Some(shared) = &self.shared {
            self.replica(shared).follow(from, changes).await;
        }
    }

    /// Takes up what other replicas have done of late, and tells them what they do not know.
    pub(in crate::oracle) async fn catch_up(&self, has_returned: bool) {
        if let Some(shared) = &self.shared {
            self.replica(shared).catch_up(has_returned).await;
        }
    }

    /// Lets leases end whose launches this replica sees in the usage; the others see it in a
    /// moment, when they have taken up what was read.
    pub(super) async fn end_soon(&self, leases: &[LeaseId]) {
        for id in leases {
            let change = |lease: &Lease, now: Moment| {
                let soon = now.plus(SEEN_BY_ALL);
                match soon.is_before(lease.expires_at) {
                    true => Lease {
                        expires_at: soon,
                        ..lease.clone()
                    },
                    false => lease.clone(),
                }
            };
            // While the store is away, the clock ends it.
            let _ = self.change(id.as_str(), |_| true, change).await;
        }
    }
}

/// One replica's book and the ledger that all share.
struct Replica<'a> {
    book: &'a LeaseBook,
    ledger: &'a SharedLedger,
}

impl Replica<'_> {
    fn store(&self) -> &Arc<dyn SharedStore> {
        self.ledger.sharing.store()
    }

    fn status(&self) -> &StoreStatus {
        self.ledger.sharing.status()
    }

    /// Takes a lease that no other replica can take meanwhile; see [`LeaseBook::take`].
    pub(super) async fn take<T>(
        &self,
        backend: &BackendName,
        request: Option<&RequestKey>,
        judge: &impl Fn(&Held<'_>, Moment, Option<&LeaseId>) -> (T, Option<NewLease>),
    ) -> Result<(T, Option<Lease>), Untaken> {
        self.ledger.sharing.first_contact().await;
        let mut followed = self.ledger.followed.lock().await;
        let mut is_current = false;
        loop {
            if !self.status().is_up() {
                return self.take_away(backend, request, judge);
            }
            let backing = match self.is_filling(&followed) {
                true => Backing::Never,
                false => Backing::AsJudged,
            };
            let planned = {
                let mut state = self.book.state();
                self.book.plan(&mut state, backend, request, backing, judge)
            };
            let (judged, lease) = match planned {
                // What others have done meanwhile may have made room, or used the same key.
                Ok(Planned::Answer(_, None)) | Err(_) if !is_current => {
                    if self.follow_to_now(&mut followed).await.is_err() {
                        return self.take_away(backend, request, judge);
                    }
                    is_current = true;
                    continue;
                }
                Ok(Planned::Grant(judged, lease)) => (judged, lease),
                other => return other.map(Planned::into_answer),
            };
            let entry = self.entry(&SharedLease::live(&lease, request));
            match self.write(&mut followed, vec![entry]).await {
                Ok(true) => {
                    let mut state = self.book.state();
                    self.book.put(&mut state, &lease, request);
                    return Ok((judged, Some(lease)));
                }
                Ok(false) => is_current = true,
                Err(Away) => {
                    // It may have been written all the same, and nobody knows of it.
                    self.ledger.untold.lock().ended.insert(lease.id, None);
                    return self.take_away(backend, request, judge);
                }
            }
        }
    }

    /// Takes a lease while the store is away, if that is wanted.
    fn take_away<T>(
        &self,
        backend: &BackendName,
        request: Option<&RequestKey>,
        judge: &impl Fn(&Held<'_>, Moment, Option<&LeaseId>) -> (T, Option<NewLease>),
    ) -> Result<(T, Option<Lease>), Untaken> {
        let mut state = self.book.state();
        let planned = self
            .book
            .plan(&mut state, backend, request, Backing::Never, judge)?;
        if let Planned::Grant(_, lease) = &planned {
            if self.ledger.while_away == WhileAway::Refuse {
                return Err(Untaken::StoreAway);
            }
            self.book.put(&mut state, lease, request);
            self.book.write(lease, request, true);
            self.ledger.note_unshared(&lease.id);
        }
        Ok(planned.into_answer())
    }

    /// Changes a lease; see [`LeaseBook::change`].
    pub(super) async fn change(
        &self,
        id: &str,
        sees: &impl Fn(&BackendName) -> bool,
        change: &impl Fn(&Lease, Moment) -> Lease,
    ) -> Result<Option<Lease>, StoreAway> {
        let mut followed = self.ledger.followed.lock().await;
        loop {
            let Some((before, request)) = self.find(&mut followed, id, sees).await? else {
                return Ok(None);
            };
            let after = change(&before, self.book.clock.now());
            if after == before {
                return Ok(Some(after));
            }
            let entry = self.entry(&SharedLease::live(&after, request.as_ref()));
            let written = self.write(&mut followed, vec![entry]).await;
            if written == Ok(false) {
                continue;
            }
            let mut state = self.book.state();
            self.book.put(&mut state, &after, request.as_ref());
            if written == Err(Away) {
                self.book.write(&after, request.as_ref(), true);
                self.ledger.note_unshared(&after.id);
            }
            return Ok(Some(after));
        }
    }

    /// Ends a lease; see [`LeaseBook::release`].
    pub(super) async fn release(
        &self,
        id: &str,
        sees: &impl Fn(&BackendName) -> bool,
    ) -> Result<Option<Lease>, StoreAway> {
        let mut followed = self.ledger.followed.lock().await;
        loop {
            let Some((lease, request)) = self.find(&mut followed, id, sees).await? else {
                return Ok(None);
            };
            let now = self.book.clock.now();
            let ended = request.map(|request| SharedLease::ended(&lease, request, now));
            let entry = match &ended {
                Some(ended) => self.entry(ended),
                None => self.forgotten(&lease.id),
            };
            let written = self.write(&mut followed, vec![entry]).await;
            if written == Ok(false) {
                continue;
            }
            if written == Err(Away) {
                let mut untold = self.ledger.untold.lock();
                untold.changed.remove(&lease.id);
                untold.ended.insert(lease.id.clone(), ended);
            }
            return Ok(self.book.remove(&mut self.book.state(), &lease.id, now));
        }
    }

    /// Finds a lease; one that another replica has just granted is asked for.
    async fn find(
        &self,
        followed: &mut LedgerVersion,
        id: &str,
        sees: &impl Fn(&BackendName) -> bool,
    ) -> Result<Option<(Lease, Option<RequestKey>)>, StoreAway> {
        let look = || {
            let mut state = self.book.state();
            let lease = state.find(id, sees, self.book.clock.now())?;
            let request = state.keys.of(&lease.id).cloned();
            Some((lease, request))
        };
        if let Some(found) = look() {
            return Ok(Some(found));
        }
        match self.follow_to_now(followed).await {
            Ok(()) => Ok(look()),
            Err(Away) => Err(StoreAway),
        }
    }

    /// Takes up a notice of another replica.
    pub(super) async fn follow(&self, from: LedgerVersion, changes: LedgerChanges) {
        let mut followed = self.ledger.followed.lock().await;
        if *followed == from {
            self.take_up(&mut followed, changes);
        } else if followed.generation != changes.version.generation
            || followed.number < changes.version.number
        {
            // Should the store go away, its return leads to the same.
            let _ = self.follow_to_now(&mut followed).await;
        }
    }

    /// Takes up what other replicas have done, and tells them what they do not know.
    pub(super) async fn catch_up(&self, has_returned: bool) {
        let mut followed = self.ledger.followed.lock().await;
        if has_returned {
            // Between the two there may be another ledger that counts the same.
            *followed = LedgerVersion::default();
        }
        if self.follow_to_now(&mut followed).await.is_err() {
            return;
        }
        while self.ledger.untold.lock().is_something() {
            match self.write(&mut followed, Vec::new()).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(Away) => return,
            }
        }
    }

    async fn follow_to_now(&self, followed: &mut LedgerVersion) -> Result<(), Away> {
        let changes = self.store().changes(*followed).await?;
        self.take_up(followed, changes);
        Ok(())
    }

    /// Writes these entries and what the others do not know yet, if nothing has changed; else takes
    /// up what has.
    async fn write(
        &self,
        followed: &mut LedgerVersion,
        mut entries: Vec<LeaseEntry>,
    ) -> Result<bool, Away> {
        let told = self.add_untold(&mut entries);
        match self.store().write(*followed, &entries).await? {
            Written::Done(version) => {
                *followed = version;
                self.ledger.untold.lock().forget(&told);
                Ok(true)
            }
            Written::Behind(changes) => {
                self.take_up(followed, changes);
                Ok(false)
            }
        }
    }

    /// Adds what the others do not know yet; returns of which leases that is.
    fn add_untold(&self, entries: &mut Vec<LeaseEntry>) -> BTreeSet<LeaseId> {
        let untold = self.ledger.untold.lock();
        if !untold.is_something() {
            return BTreeSet::new();
        }
        let is_written: BTreeSet<_> = entries.iter().map(|entry| entry.id.clone()).collect();
        let mut state = self.book.state();
        for id in &untold.changed {
            if is_written.contains(id.as_str()) {
                continue;
            }
            // One that has ended by the clock is nothing to tell.
            if let Some(lease) = state.find(id.as_str(), |_| true, self.book.clock.now()) {
                let request = state.keys.of(id);
                entries.push(self.entry(&SharedLease::live(&lease, request)));
            }
        }
        for (id, ended) in &untold.ended {
            entries.push(match ended {
                Some(ended) => self.entry(ended),
                None => self.forgotten(id),
            });
        }
        let ended = untold.ended.keys();
        untold.changed.iter().chain(ended).cloned().collect()
    }

    /// Takes up the changes of the ledger.
    fn take_up(&self, followed: &mut LedgerVersion, changes: LedgerChanges) {
        let mut state = self.book.state();
        let now = self.book.clock.now();
        if changes.is_all {
            let known: BTreeSet<_> = changes.entries.iter().map(|entry| &entry.id).collect();
            let mut untold = self.ledger.untold.lock();
            for lease in state.live_leases() {
                if known.contains(&lease.id.to_string()) || untold.changed.contains(&lease.id) {
                    continue;
                }
                // A lease that is older than the ledger was in one that is lost.
                match self.status().time(lease.created_at) < changes.version.generation {
                    true => {
                        untold.changed.insert(lease.id);
                    }
                    false => {
                        self.book.remove(&mut state, &lease.id, now);
                    }
                }
            }
        }
        for entry in &changes.entries {
            let id = LeaseId::from(entry.id.as_str());
            let is_newer_here = {
                let untold = self.ledger.untold.lock();
                untold.changed.contains(&id) || untold.ended.contains_key(&id)
            };
            if is_newer_here {
                continue;
            }
            if entry.lease.is_empty() {
                self.book.remove(&mut state, &id, now);
                continue;
            }
            let Some(shared) = entry_form::decode(&entry.lease, &self.ledger.sharing) else {
                tracing::debug!(id = %id, "passing over a lease that another release has shared");
                continue;
            };
            match shared.ended_at {
                Some(ended_at) => {
                    self.book.remove(&mut state, &id, now);
                    if let Some(request) = shared.request {
                        state.keys.insert_ended(request, shared.lease, ended_at);
                    }
                }
                None => self
                    .book
                    .put(&mut state, &shared.lease, shared.request.as_ref()),
            }
        }
        *followed = changes.version;
    }

    /// Whether the ledger is so new that replicas may hold what it lacks.
    fn is_filling(&self, followed: &LedgerVersion) -> bool {
        self.status().now().since(followed.generation) < FILLING
    }

    fn entry(&self, lease: &SharedLease) -> LeaseEntry {
        entry_form::encode(lease, &self.ledger.sharing)
    }

    fn forgotten(&self, id: &LeaseId) -> LeaseEntry {
        LeaseEntry {
            id: id.to_string(),
            ends: self.status().now(),
            lease: String::new(),
        }
    }
}
