//! The store that the replicas of a life share, if they share one: in memory, or with its ledger of
//! leases on a real server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quota_oracle::clock::Clock;
use quota_oracle::coordination::{
    Away, Begun, Board, Bulletin, CallEnd, Coordination, FetchLock, LeaseEntry, LeaseStore,
    LedgerChanges, LedgerVersion, LocalHub, LocalReplica, Notice, Post, RateScope, RateShare,
    ReadKind, ReadLock, RedisAccess, RedisStore, SharedPolicy, SharedRate, SharedStore, StoreTime,
    TokenWish, Turn, Written,
};
use quota_oracle::model::UnitKey;
use quota_oracle::secret::{SecretSource, SecretString};
use tokio::runtime::Handle;
use tokio::sync::broadcast;

/// A real server, and the runtime whose clock is not paused.
#[derive(Clone, Debug)]
pub(in super::super) struct RealServer {
    pub(in super::super) url: String,
    pub(in super::super) runtime: Handle,
}

/// The store of a life.
#[derive(Debug)]
pub(super) struct Shared {
    hub: Arc<LocalHub>,
    ledger: Option<Arc<ServerLedger>>,
}

impl Shared {
    pub(super) fn new(clock: Clock, server: Option<&RealServer>) -> Self {
        Self {
            hub: LocalHub::new(clock),
            ledger: server.map(|server| Arc::new(ServerLedger::new(server.clone(), clock))),
        }
    }

    /// Adds a replica.
    pub(super) fn join(&self, clock: Clock) -> Coordination {
        let replica = self.hub.join(clock);
        let status = replica.status();
        let store: Arc<dyn SharedStore> = match &self.ledger {
            None => replica,
            Some(ledger) => Arc::new(OnServer {
                notices: ledger.join(),
                replica,
                ledger: Arc::clone(ledger),
            }),
        };
        Coordination {
            store,
            status,
            max_replicas: 2,
        }
    }

    pub(super) fn stop(&self) {
        self.hub.stop();
    }

    pub(super) fn resume(&self) {
        self.hub.resume();
    }

    /// Loses everything.
    pub(super) fn clear(&self) {
        self.hub.clear();
        if let Some(ledger) = &self.ledger {
            ledger.begin_anew();
        }
    }
}

/// The ledger of a life on a real server, under keys of its own.
#[derive(Debug)]
struct ServerLedger {
    server: RealServer,
    clock: Clock,
    store: Mutex<Arc<RedisStore>>,
    /// When the ledger began: by the server's clock, and by the one that all replicas go by.
    began: Mutex<Option<(StoreTime, StoreTime)>>,
    tellers: Mutex<Vec<broadcast::Sender<Notice>>>,
}

impl ServerLedger {
    fn new(server: RealServer, clock: Clock) -> Self {
        Self {
            store: Mutex::new(connected(&server)),
            server,
            clock,
            began: Mutex::default(),
            tellers: Mutex::default(),
        }
    }

    fn begin_anew(&self) {
        *self.store.lock().unwrap() = connected(&self.server);
        *self.began.lock().unwrap() = None;
    }

    /// Returns a version as the server has it.
    fn there(&self, mut version: LedgerVersion) -> LedgerVersion {
        if let Some((there, here)) = *self.began.lock().unwrap()
            && version.generation == here
        {
            version.generation = there;
        }
        version
    }

    /// Returns a version of the server as the replicas have it.
    fn here(&self, mut version: LedgerVersion) -> LedgerVersion {
        let now = StoreTime::of(self.clock.now().wall);
        let mut began = self.began.lock().unwrap();
        version.generation = began.get_or_insert((version.generation, now)).1;
        version
    }

    fn changes_here(&self, changes: LedgerChanges) -> LedgerChanges {
        LedgerChanges {
            version: self.here(changes.version),
            ..changes
        }
    }

    fn join(&self) -> broadcast::Sender<Notice> {
        let notices = broadcast::Sender::new(4096);
        self.tellers.lock().unwrap().push(notices.clone());
        notices
    }

    /// Asks the server, on a thread of its own: a paused clock stands still meanwhile.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl AsyncFnOnce(&RedisStore) -> T + Send + 'static,
    ) -> T {
        let (store, runtime) = (
            Arc::clone(&self.store.lock().unwrap()),
            self.server.runtime.clone(),
        );
        let asked = move || runtime.block_on(question(&store));
        tokio::task::spawn_blocking(asked).await.unwrap()
    }

    fn tell_others(&self, own: &broadcast::Sender<Notice>, notice: &Notice) {
        for teller in self.tellers.lock().unwrap().iter() {
            if !teller.same_channel(own) {
                // Nobody follows any more where it fails.
                let _ = teller.send(notice.clone());
            }
        }
    }
}

/// A connected store under a prefix that nobody else uses.
fn connected(server: &RealServer) -> Arc<RedisStore> {
    let access = RedisAccess {
        url: SecretSource::Text(SecretString::from(server.url.clone())),
        password: None,
        base: PathBuf::new(),
    };
    let prefix = format!("life-{:016x}:", rand::random::<u64>());
    let accounts = BTreeMap::from([("sim".into(), "an account".to_owned())]);
    let store = RedisStore::new(access, prefix, accounts, Clock::system());
    let mut states = store.status().subscribe();
    let keeping = server.runtime.spawn(Arc::clone(&store).keep());
    let connected = std::thread::scope(|scope| {
        let wait = || {
            let up = states.wait_for(|state| state.away.is_none());
            server.runtime.block_on(async { up.await.is_ok() })
        };
        scope.spawn(wait).join().unwrap()
    });
    assert!(connected);
    // One connection is enough; its heartbeats would only cost time.
    keeping.abort();
    store
}

/// One replica of a life whose ledger is on a real server.
#[derive(Debug)]
struct OnServer {
    replica: Arc<LocalReplica>,
    ledger: Arc<ServerLedger>,
    /// Notices of the other replicas.
    notices: broadcast::Sender<Notice>,
}

impl OnServer {
    fn is_away(&self) -> bool {
        !self.replica.status().is_up()
    }
}

impl LeaseStore for OnServer {
    fn write<'a>(
        &'a self,
        at: LedgerVersion,
        entries: &'a [LeaseEntry],
    ) -> BoxFuture<'a, Result<Written, Away>> {
        async move {
            if self.is_away() {
                return Err(Away);
            }
            let (own, there) = (entries.to_vec(), self.ledger.there(at));
            let write = async move |store: &RedisStore| store.write(there, &own).await;
            let version = match self.ledger.ask(write).await? {
                Written::Done(version) => self.ledger.here(version),
                Written::Behind(changes) => {
                    return Ok(Written::Behind(self.ledger.changes_here(changes)));
                }
            };
            let changes = LedgerChanges {
                version,
                is_all: false,
                entries: entries.to_vec(),
            };
            let notice = Notice::Leases(at, changes);
            self.ledger.tell_others(&self.notices, &notice);
            Ok(Written::Done(version))
        }
        .boxed()
    }

    fn changes(&self, since: LedgerVersion) -> BoxFuture<'_, Result<LedgerChanges, Away>> {
        async move {
            if self.is_away() {
                return Err(Away);
            }
            let since = self.ledger.there(since);
            let look = async move |store: &RedisStore| store.changes(since).await;
            Ok(self.ledger.changes_here(self.ledger.ask(look).await?))
        }
        .boxed()
    }
}

impl SharedStore for OnServer {
    fn keep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        let mut others = self.replica.notices();
        let all = self.notices.clone();
        let keep = Arc::clone(&self.replica).keep();
        async move {
            let hand_on = async {
                while let Ok(notice) = others.recv().await {
                    let _ = all.send(notice);
                }
            };
            tokio::join!(keep, hand_on);
        }
        .boxed()
    }
}

impl FetchLock for OnServer {
    fn begin<'a>(
        &'a self,
        unit: &'a UnitKey,
        kind: ReadKind,
    ) -> BoxFuture<'a, Result<Begun, Away>> {
        self.replica.begin(unit, kind)
    }

    fn renew<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<bool, Away>> {
        self.replica.renew(lock)
    }

    fn end<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<(), Away>> {
        self.replica.end(lock)
    }
}

impl RateShare for OnServer {
    fn take<'a>(
        &'a self,
        scope: &'a RateScope,
        rate: SharedRate,
        wish: TokenWish,
    ) -> BoxFuture<'a, Result<Turn, Away>> {
        self.replica.take(scope, rate, wish)
    }

    fn report(&self, scope: &RateScope, policy: SharedPolicy, end: CallEnd) {
        self.replica.report(scope, policy, end);
    }
}

impl Bulletin for OnServer {
    fn post<'a>(
        &'a self,
        unit: &'a UnitKey,
        post: Post,
        lock: Option<&'a ReadLock>,
    ) -> BoxFuture<'a, Result<Option<(i64, i64)>, Away>> {
        self.replica.post(unit, post, lock)
    }

    fn board<'a>(&'a self, unit: &'a UnitKey, since: i64) -> BoxFuture<'a, Result<Board, Away>> {
        self.replica.board(unit, since)
    }

    fn versions(&self) -> BoxFuture<'_, Result<Vec<(UnitKey, i64)>, Away>> {
        self.replica.versions()
    }

    fn post_launch(&self, launch: String) -> BoxFuture<'_, Result<(), Away>> {
        self.replica.post_launch(launch)
    }

    fn launches(&self) -> BoxFuture<'_, Result<Vec<String>, Away>> {
        self.replica.launches()
    }

    fn hurry(&self, unit: &UnitKey, priority: u8) {
        self.replica.hurry(unit, priority);
    }

    fn tell_ended(&self, unit: &UnitKey) {
        self.replica.tell_ended(unit);
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }
}
