//! One replica's part in the ledger that all share: it follows what the others write, and tells them
//! what they do not know yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::coordination::{
    Away, LeaseEntry, LedgerChanges, LedgerVersion, SharedStore, StoreStatus, Written,
};
use crate::model::LeaseId;

use super::book::LeaseBook;
use super::entry_form::{self, SharedLease};
use super::shared_ledger::SharedLedger;

/// A new ledger may lack what replicas hold for so long; they write it within a second.
const FILLING: SignedDuration = SignedDuration::from_secs(5);

/// Replicas come back to a new ledger within this time, or what they know has ended by the clock.
const LATEST_RETURN: SignedDuration = SignedDuration::from_hours(1);

/// One replica's book and the ledger that all share.
pub(super) struct Replica<'a> {
    pub(super) book: &'a LeaseBook,
    pub(super) ledger: &'a SharedLedger,
}

impl Replica<'_> {
    fn store(&self) -> &Arc<dyn SharedStore> {
        self.ledger.sharing.store()
    }

    pub(super) fn status(&self) -> &StoreStatus {
        self.ledger.sharing.status()
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

    pub(super) async fn follow_to_now(&self, followed: &mut LedgerVersion) -> Result<(), Away> {
        let changes = self.store().changes(*followed).await?;
        self.take_up(followed, changes);
        Ok(())
    }

    /// Writes these entries and what the others do not know yet, if nothing has changed; else takes
    /// up what has.
    pub(super) async fn write(
        &self,
        followed: &mut LedgerVersion,
        mut entries: Vec<LeaseEntry>,
    ) -> Result<bool, Away> {
        let told = self.add_untold(&mut entries);
        match self.store().write(*followed, &entries).await? {
            Written::Done(version) => {
                *followed = version;
                self.note_told(&told);
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
        let mut state = self.book.state();
        let untold = self.ledger.untold.lock();
        if !untold.is_something() {
            return BTreeSet::new();
        }
        let is_written: BTreeSet<_> = entries.iter().map(|entry| entry.id.clone()).collect();
        for (id, last) in untold.kept.iter().chain(&untold.changed) {
            if is_written.contains(id.as_str()) {
                continue;
            }
            entries.push(
                match state.find(id.as_str(), |_| true, self.book.clock.now()) {
                    Some(lease) => self.entry(&SharedLease::live(&lease, state.keys.of(id))),
                    // Those who know an earlier form would keep it for longer.
                    None => self.late_end(&SharedLease::ended(last, None, last.expires_at)),
                },
            );
        }
        entries.extend(untold.ended.values().map(|ended| self.late_end(ended)));
        let changed = untold.changed.keys().chain(untold.kept.keys());
        changed.chain(untold.ended.keys()).cloned().collect()
    }

    /// Notes that the others know these now, also for a process that takes over.
    fn note_told(&self, told: &BTreeSet<LeaseId>) {
        let mut state = self.book.state();
        let mut untold = self.ledger.untold.lock();
        for id in told.iter().filter(|id| untold.changed.contains_key(*id)) {
            if let Some(lease) = state.find(id.as_str(), |_| true, self.book.clock.now()) {
                self.book.write(&lease, state.keys.of(id), false);
            }
        }
        untold.forget(told);
    }

    /// Takes up the changes of the ledger.
    fn take_up(&self, followed: &mut LedgerVersion, changes: LedgerChanges) {
        let mut state = self.book.state();
        let now = self.book.clock.now();
        if changes.is_all {
            let known: BTreeSet<_> = changes.entries.iter().map(|entry| &entry.id).collect();
            let mut untold = self.ledger.untold.lock();
            for lease in state.live_leases() {
                if known.contains(&lease.id.to_string()) || untold.changed.contains_key(&lease.id) {
                    continue;
                }
                // A lease that is older than the ledger was in one that is lost.
                match self.status().time(lease.created_at) < changes.version.generation {
                    true => {
                        untold.kept.insert(lease.id.clone(), lease);
                    }
                    false => {
                        self.book.remove(&mut state, &lease.id, now);
                    }
                }
            }
        }
        for entry in &changes.entries {
            let Some(shared) = entry_form::decode(&entry.lease, &self.ledger.sharing) else {
                tracing::debug!(id = %entry.id, "passing over a lease that another release has shared");
                continue;
            };
            let id = &shared.lease.id;
            let mut untold = self.ledger.untold.lock();
            untold.kept.remove(id);
            match shared.ended_at {
                Some(ended_at) => {
                    // An end is final, whatever was changed here meanwhile.
                    untold.changed.remove(id);
                    drop(untold);
                    self.book.remove(&mut state, id, now);
                    if let Some(request) = shared.request {
                        state.keys.insert_ended(request, shared.lease, ended_at);
                    }
                }
                None if untold.changed.contains_key(id) || untold.ended.contains_key(id) => {}
                None => {
                    drop(untold);
                    self.book
                        .put(&mut state, &shared.lease, shared.request.as_ref());
                }
            }
        }
        *followed = changes.version;
    }

    /// Whether the ledger is so new that replicas may hold what it lacks.
    pub(super) fn is_filling(&self, followed: &LedgerVersion) -> bool {
        self.status().now().since(followed.generation) < FILLING
    }

    /// The entry of a lease that ended while the store was away. Should the ledger be a new one,
    /// replicas that come back later still write what they know of it.
    fn late_end(&self, ended: &SharedLease) -> LeaseEntry {
        let entry = self.entry(ended);
        let last = self.status().now().plus(LATEST_RETURN);
        LeaseEntry {
            ends: entry.ends.max(last),
            ..entry
        }
    }

    pub(super) fn entry(&self, lease: &SharedLease) -> LeaseEntry {
        entry_form::encode(lease, &self.ledger.sharing)
    }
}
