//! The rules of the shared store in one process: for replicas of a simulation, whose clock is
//! paused.

mod board;
mod ledger;
mod locks;
mod rates;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use super::{
    Away, Begun, Board, Bulletin, CallEnd, FetchLock, LeaseEntry, LeaseStore, LedgerChanges,
    LedgerVersion, Notice, Post, RateScope, RateShare, ReadKind, ReadLock, SharedPolicy,
    SharedRate, SharedStore, StoreStatus, StoreTime, TokenWish, Turn, Written,
};
use crate::clock::Clock;
use crate::model::UnitKey;

use board::UnitBoard;
use ledger::Ledger;
use locks::Locks;
use rates::Rate;

/// So many notices may be unread before the oldest are lost.
const NOTICES: usize = 4096;

/// A store in memory; its replicas are in the same process.
#[derive(Debug)]
pub struct LocalHub {
    clock: Clock,
    is_up: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    locks: Locks,
    boards: HashMap<UnitKey, UnitBoard>,
    rates: HashMap<RateScope, Rate>,
    ledger: Option<Ledger>,
    launches: Vec<String>,
    share_from: StoreTime,
    replicas: Vec<(u64, broadcast::Sender<Notice>)>,
}

/// One replica of a [`LocalHub`].
#[derive(Debug)]
pub struct LocalReplica {
    id: u64,
    hub: Arc<LocalHub>,
    status: Arc<StoreStatus>,
    notices: broadcast::Sender<Notice>,
}

impl LocalHub {
    /// An empty store that answers.
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            is_up: watch::Sender::new(true),
            state: Mutex::default(),
        })
    }

    /// Adds a replica, whose clock may be another one than the store's.
    pub fn join(self: &Arc<Self>, clock: Clock) -> Arc<LocalReplica> {
        let status = Arc::new(StoreStatus::new(clock));
        let notices = broadcast::Sender::new(NOTICES);
        let mut state = self.state.lock();
        let id = state.replicas.len() as u64;
        state.replicas.push((id, notices.clone()));
        Arc::new(LocalReplica {
            id,
            hub: Arc::clone(self),
            status,
            notices,
        })
    }

    /// Stops answering.
    pub fn stop(&self) {
        self.is_up.send_replace(false);
    }

    /// Answers again, with everything as it was.
    pub fn resume(&self) {
        self.is_up.send_replace(true);
    }

    /// Loses everything that it had.
    pub fn clear(&self) {
        let mut state = self.state.lock();
        *state = State {
            replicas: std::mem::take(&mut state.replicas),
            ..State::default()
        };
    }

    fn now(&self) -> StoreTime {
        StoreTime::of(self.clock.now().wall)
    }
}

impl LocalReplica {
    /// Whether the store answers, and its time.
    pub fn status(&self) -> Arc<StoreStatus> {
        Arc::clone(&self.status)
    }

    fn ask<T>(&self, answer: impl FnOnce(&mut State, StoreTime) -> T) -> Result<T, Away> {
        if !*self.hub.is_up.borrow() {
            self.status.note_away("the store was stopped");
            return Err(Away);
        }
        self.status.note_round_trip();
        let now = self.hub.now();
        Ok(answer(&mut self.hub.state.lock(), now))
    }

    /// Notes that the store answers; replicas that come back to it share the rates from one moment
    /// on.
    fn look(&self) {
        let (now, time) = (self.status.clock().now(), self.hub.now());
        let was_up_before = self.status.state().returns > 0;
        let mut state = self.hub.state.lock();
        let replicas = state.replicas.len() as u32;
        if was_up_before && state.share_from < time {
            state.share_from = time.plus(SignedDuration::from_secs(1));
        }
        self.status.note_replicas(replicas, self.id as u32);
        self.status.note_share_from(state.share_from);
        drop(state);
        self.status.note_up(time, now);
    }

    fn tell(&self, state: &State, notice: &Notice) {
        for (id, notices) in &state.replicas {
            if *id != self.id {
                // Nobody follows any more where it fails.
                let _ = notices.send(notice.clone());
            }
        }
    }
}

impl SharedStore for LocalReplica {
    fn keep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        async move {
            let mut is_up = self.hub.is_up.subscribe();
            loop {
                if *is_up.borrow_and_update() {
                    self.look();
                } else {
                    self.status.note_away("the store was stopped");
                }
                if is_up.changed().await.is_err() {
                    return;
                }
            }
        }
        .boxed()
    }
}

impl FetchLock for LocalReplica {
    fn begin<'a>(
        &'a self,
        unit: &'a UnitKey,
        kind: ReadKind,
    ) -> BoxFuture<'a, Result<Begun, Away>> {
        let begun = self.ask(|state, now| {
            let version = state.boards.get(unit).map_or(0, |board| board.version);
            match state.locks.take(unit, kind, self.id, now) {
                Ok(token) => Begun::Granted {
                    lock: ReadLock {
                        unit: unit.clone(),
                        kind,
                        token,
                    },
                    version,
                },
                Err(until) => Begun::Held { until, version },
            }
        });
        async move { begun }.boxed()
    }

    fn renew<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<bool, Away>> {
        let renewed = self.ask(|state, now| state.locks.renew(lock, now));
        async move { renewed }.boxed()
    }

    fn end<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<(), Away>> {
        let ended = self.ask(|state, _| state.locks.end(lock));
        async move { ended }.boxed()
    }
}

impl RateShare for LocalReplica {
    fn take<'a>(
        &'a self,
        scope: &'a RateScope,
        rate: SharedRate,
        wish: TokenWish,
    ) -> BoxFuture<'a, Result<Turn, Away>> {
        let turn = self.ask(|state, now| {
            let known = state.rates.entry(scope.clone()).or_default();
            known.take(rate, wish, self.status.share_from(), now)
        });
        async move { turn }.boxed()
    }

    fn report(&self, scope: &RateScope, policy: SharedPolicy, end: CallEnd) {
        let chance = rand::random();
        let _ = self.ask(|state, now| {
            let known = state.rates.entry(scope.clone()).or_default();
            known.report(policy, &end, now, chance);
        });
    }
}

impl LeaseStore for LocalReplica {
    fn write<'a>(
        &'a self,
        at: LedgerVersion,
        entries: &'a [LeaseEntry],
    ) -> BoxFuture<'a, Result<Written, Away>> {
        let written = self.ask(|state, now| {
            let ledger = state.ledger.get_or_insert_with(|| Ledger::new(now));
            let written = ledger.write(at, entries, now);
            if let Written::Done(version) = written {
                let changes = LedgerChanges {
                    version,
                    is_all: false,
                    entries: entries.to_vec(),
                };
                self.tell(state, &Notice::Leases(at, changes));
            }
            written
        });
        async move { written }.boxed()
    }

    fn changes(&self, since: LedgerVersion) -> BoxFuture<'_, Result<LedgerChanges, Away>> {
        let changes = self.ask(|state, now| {
            let ledger = state.ledger.get_or_insert_with(|| Ledger::new(now));
            ledger.changes(since, now)
        });
        async move { changes }.boxed()
    }
}

impl Bulletin for LocalReplica {
    fn post<'a>(
        &'a self,
        unit: &'a UnitKey,
        post: Post,
        lock: Option<&'a ReadLock>,
    ) -> BoxFuture<'a, Result<Option<(i64, i64)>, Away>> {
        let posted = self.ask(|state, now| {
            let board = state.boards.entry(unit.clone()).or_default();
            let before = board.version;
            let version = board.post(post, lock.map_or(0, |lock| lock.token), now)?;
            self.tell(state, &Notice::Unit(unit.clone(), version));
            Some((before, version))
        });
        async move { posted }.boxed()
    }

    fn board<'a>(&'a self, unit: &'a UnitKey, since: i64) -> BoxFuture<'a, Result<Board, Away>> {
        let board = self.ask(|state, _| {
            let board = state.boards.get(unit);
            board.map(|board| board.since(since)).unwrap_or_default()
        });
        async move { board }.boxed()
    }

    fn versions(&self) -> BoxFuture<'_, Result<Vec<(UnitKey, i64)>, Away>> {
        let versions = self.ask(|state, _| {
            let boards = state.boards.iter();
            boards
                .map(|(unit, board)| (unit.clone(), board.version))
                .collect()
        });
        async move { versions }.boxed()
    }

    fn post_launch(&self, launch: String) -> BoxFuture<'_, Result<(), Away>> {
        let posted = self.ask(|state, _| {
            self.tell(state, &Notice::Launch(launch.clone()));
            state.launches.push(launch);
        });
        async move { posted }.boxed()
    }

    fn launches(&self) -> BoxFuture<'_, Result<Vec<String>, Away>> {
        let launches = self.ask(|state, _| state.launches.clone());
        async move { launches }.boxed()
    }

    fn hurry(&self, unit: &UnitKey, priority: u8) {
        let _ = self.ask(|state, _| self.tell(state, &Notice::Hurry(unit.clone(), priority)));
    }

    fn tell_ended(&self, unit: &UnitKey) {
        let _ = self.ask(|state, _| self.tell(state, &Notice::Ended(unit.clone())));
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }
}
