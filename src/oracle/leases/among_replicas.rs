//! Leases among replicas: each judges by what it knows of the ledger, and writes on condition that
//! nothing has changed meanwhile.
//!
//! While the store is away, what was granted and changed here is kept, and told when it is back. A
//! store that comes back with another ledger has lost the one before: every replica then writes
//! what it knows, and until all have had time for that, grants are not backed.

use std::time::Duration;

use crate::coordination::{Away, LedgerChanges, LedgerVersion};
use crate::model::{BackendName, Lease, LeaseId, Moment, RequestKey};

use super::book::{Backing, LeaseBook, Planned, StoreAway};
use super::book_state::{Held, Untaken};
use super::entry_form::SharedLease;
use super::new_lease::NewLease;
use super::replica::Replica;
use super::settings::WhileAway;
use super::shared_ledger::SharedLedger;

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
        let is_away = |shared: &SharedLedger| !shared.sharing.status().is_up();
        if self.shared.as_ref().is_some_and(is_away) {
            // The read cannot be told to the others. A later one ends them, or the clock.
            return;
        }
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

impl Replica<'_> {
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
                    let ended = SharedLease::ended(&lease, None, lease.created_at);
                    self.ledger.untold.lock().ended.insert(lease.id, ended);
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
            self.ledger.note_unshared(lease);
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
                self.ledger.note_unshared(&after);
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
            let ended = SharedLease::ended(&lease, request, now);
            let written = self.write(&mut followed, vec![self.entry(&ended)]).await;
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
}
