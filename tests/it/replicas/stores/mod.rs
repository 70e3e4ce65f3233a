//! The rules of the shared store, which are the same for the one in memory, Redis and Valkey.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use quota_oracle::clock::Clock;
use quota_oracle::coordination::{
    Begun, LeaseEntry, LedgerVersion, LocalHub, Notice, Post, ReadKind, ReadLock, RedisAccess,
    RedisStore, SharedStore, StoreStatus, StoreTime, Written,
};
use quota_oracle::model::UnitKey;
use quota_oracle::secret::{SecretSource, SecretString};

use crate::harness::{Engine, StoreServer};

/// Two replicas of a store; the second is told of what the first does.
struct Two {
    one: Arc<dyn SharedStore>,
    other: Arc<dyn SharedStore>,
    status: Arc<StoreStatus>,
    _server: Option<StoreServer>,
    _keeping: Vec<tokio::task::JoinHandle<()>>,
}

pub(super) fn redis_store<S: AsRef<str>>(
    url: &str,
    backends: &[S],
    clock: Clock,
) -> Arc<RedisStore> {
    let access = RedisAccess {
        url: SecretSource::Text(SecretString::from(url)),
        password: None,
        base: PathBuf::new(),
    };
    let account = |name: &S| (name.as_ref().into(), "an account".to_owned());
    let accounts: BTreeMap<_, _> = backends.iter().map(account).collect();
    RedisStore::new(access, "test:".to_owned(), accounts, clock)
}

impl Two {
    async fn in_memory() -> Self {
        let clock = Clock::system();
        let hub = LocalHub::new(clock);
        let (one, other) = (hub.join(clock), hub.join(clock));
        let status = one.status();
        let keeping = [&one, &other].map(|it| tokio::spawn(Arc::clone(it).keep()));
        Self::of(one, other, status, None, keeping.into()).await
    }

    async fn on(engine: Engine) -> Self {
        let server = StoreServer::start(engine);
        let clock = Clock::system();
        let (one, other) = (
            redis_store(&server.url(), &["aws"], clock),
            redis_store(&server.url(), &["aws"], clock),
        );
        let status = one.status();
        let keeping = [&one, &other].map(|it| tokio::spawn(Arc::clone(it).keep()));
        let mut up = other.status().subscribe();
        up.wait_for(|state| state.away.is_none()).await.unwrap();
        Self::of(one, other, status, Some(server), keeping.into()).await
    }

    async fn of(
        one: Arc<dyn SharedStore>,
        other: Arc<dyn SharedStore>,
        status: Arc<StoreStatus>,
        server: Option<StoreServer>,
        keeping: Vec<tokio::task::JoinHandle<()>>,
    ) -> Self {
        let mut up = status.subscribe();
        up.wait_for(|state| state.away.is_none()).await.unwrap();
        Self {
            one,
            other,
            status,
            _server: server,
            _keeping: keeping,
        }
    }
}

/// Runs a story with each of the stores.
macro_rules! with_each_store {
    ($($story:ident)*) => {$(
        mod $story {
            use super::*;

            #[tokio::test]
            async fn in_memory() {
                super::$story(Two::in_memory().await).await;
            }

            #[tokio::test]
            async fn on_redis() {
                super::$story(Two::on(Engine::Redis).await).await;
            }

            #[tokio::test]
            async fn on_valkey() {
                super::$story(Two::on(Engine::Valkey).await).await;
            }
        }
    )*};
}

mod places;
mod rates;

with_each_store! {
    one_reads_while_the_other_waits
    whoever_lost_the_lock_cannot_overwrite
    rows_stay_until_a_later_full_reading
    only_one_of_two_writes_counts
    launches_are_kept_for_those_who_come_later
}

fn unit() -> UnitKey {
    UnitKey {
        backend: "aws".into(),
        unit: "us-east-1".into(),
    }
}

async fn lock_of(store: &Arc<dyn SharedStore>) -> ReadLock {
    match store.begin(&unit(), ReadKind::Full).await.unwrap() {
        Begun::Granted { lock, .. } => lock,
        held => panic!("{held:?}"),
    }
}

async fn one_reads_while_the_other_waits(two: Two) {
    let mut heard = two.other.notices();
    let lock = lock_of(&two.one).await;
    let now = two.status.now();
    match two.other.begin(&unit(), ReadKind::Full).await.unwrap() {
        Begun::Held { until, version: 0 } => {
            let left = until.since(now);
            assert!(left > SignedDuration::from_secs(3), "{left:?}");
        }
        begun => panic!("{begun:?}"),
    }
    // Rows have a lock of their own.
    let rows = two.other.begin(&unit(), ReadKind::Rows).await.unwrap();
    assert!(matches!(rows, Begun::Granted { .. }));
    assert!(two.one.renew(&lock).await.unwrap());

    let post = Post::Full(two.status.now(), b"read".to_vec());
    let posted = two.one.post(&unit(), post, Some(&lock)).await.unwrap();
    let (before, version) = posted.unwrap();
    assert_eq!(before, 0);
    two.one.end(&lock).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), Notice::Unit(unit(), version));
    assert_eq!(two.other.versions().await.unwrap(), [(unit(), version)]);
    let board = two.other.board(&unit(), 0).await.unwrap();
    assert_eq!(board.full.unwrap().bytes, b"read");
    let nothing_new = two.other.board(&unit(), version).await.unwrap();
    assert_eq!((nothing_new.full, nothing_new.version), (None, version));
    match two.other.begin(&unit(), ReadKind::Full).await.unwrap() {
        Begun::Granted { version: seen, .. } => assert_eq!(seen, version),
        held => panic!("{held:?}"),
    }
    two.one.tell_ended(&unit());
    assert_eq!(heard.recv().await.unwrap(), Notice::Ended(unit()));
    two.one.hurry(&unit(), 1);
    assert_eq!(heard.recv().await.unwrap(), Notice::Hurry(unit(), 1));
}

async fn whoever_lost_the_lock_cannot_overwrite(two: Two) {
    let lost = lock_of(&two.one).await;
    // As if it had ended by itself.
    two.one.end(&lost).await.unwrap();
    let newer = lock_of(&two.other).await;
    assert!(newer.token > lost.token);
    assert!(!two.one.renew(&lost).await.unwrap());
    let post = |text: &str| Post::Full(two.status.now(), text.as_bytes().to_vec());
    let posted = two.other.post(&unit(), post("new"), Some(&newer)).await;
    assert!(posted.unwrap().is_some());
    for lock in [Some(&lost), None] {
        let refused = two.one.post(&unit(), post("old"), lock).await;
        assert_eq!(refused, Ok(None));
    }
    let failure = Post::Failure(b"late".to_vec());
    let refused = two.one.post(&unit(), failure, Some(&lost)).await;
    assert_eq!(refused, Ok(None));
    let board = two.one.board(&unit(), 0).await.unwrap();
    assert_eq!(board.full.unwrap().bytes, b"new");
    assert_eq!(board.failure, None);
    // Its end ends nobody else's lock.
    two.one.end(&lost).await.unwrap();
    assert!(two.other.renew(&newer).await.unwrap());
}

async fn rows_stay_until_a_later_full_reading(two: Two) {
    let start = two.status.now();
    let at = |seconds| start.plus(SignedDuration::from_secs(seconds));
    let rows = |seconds, name: &str, text: &str| {
        Post::Rows(at(seconds), name.to_owned(), text.as_bytes().to_vec())
    };
    let lock = lock_of(&two.one).await;
    for post in [rows(1, "a", "a1"), rows(2, "b", "b2"), rows(3, "a", "a3")] {
        two.one.post(&unit(), post, Some(&lock)).await.unwrap();
    }
    let failed = Post::Failure(b"failed".to_vec());
    two.one.post(&unit(), failed, Some(&lock)).await.unwrap();
    let board = two.other.board(&unit(), 0).await.unwrap();
    let texts: Vec<_> = board.rows.iter().map(|rows| &rows.bytes[..]).collect();
    assert_eq!(texts, [b"b2", b"a3"]);
    assert_eq!(board.rows[1].started, at(3));
    assert_eq!(board.failure.as_deref(), Some(&b"failed"[..]));

    let full = Post::Full(at(2), b"all".to_vec());
    two.one.post(&unit(), full, Some(&lock)).await.unwrap();
    let board = two.other.board(&unit(), 0).await.unwrap();
    let texts: Vec<_> = board.rows.iter().map(|rows| &rows.bytes[..]).collect();
    assert_eq!(texts, [b"a3"]);
    assert_eq!(
        (board.full.unwrap().bytes, board.failure),
        (b"all".to_vec(), None)
    );
}

fn lease(id: &str, ends: StoreTime, text: &str) -> LeaseEntry {
    LeaseEntry {
        id: id.to_owned(),
        ends,
        lease: text.to_owned(),
    }
}

async fn only_one_of_two_writes_counts(two: Two) {
    let mut heard = two.other.notices();
    let soon = two.status.now().plus(SignedDuration::from_secs(600));
    let begun = two.one.changes(LedgerVersion::default()).await.unwrap();
    assert!(begun.is_all && begun.entries.is_empty());
    let start = begun.version;
    let first = lease("a", soon, r#"{"one": "|\n€"}"#);
    let written = two.one.write(start, std::slice::from_ref(&first)).await;
    let Ok(Written::Done(version)) = written else {
        panic!("{written:?}");
    };
    match heard.recv().await.unwrap() {
        Notice::Leases(from, changes) => {
            assert_eq!((from, changes.version), (start, version));
            assert_eq!(changes.entries, std::slice::from_ref(&first));
        }
        notice => panic!("{notice:?}"),
    }
    // The other one has not heard of it yet.
    let late = [lease("b", soon, "two")];
    match two.other.write(start, &late).await.unwrap() {
        Written::Behind(changes) => {
            assert_eq!(changes.version, version);
            assert_eq!(changes.entries, std::slice::from_ref(&first));
        }
        written => panic!("{written:?}"),
    }
    let written = two.other.write(version, &late).await.unwrap();
    let Written::Done(version) = written else {
        panic!("{written:?}");
    };
    // An entry without a lease is forgotten, one that has ended is not told any more.
    let past = two.status.now().plus(SignedDuration::from_secs(-1));
    let entries = [lease("a", soon, ""), lease("c", past, "three")];
    let written = two.one.write(version, &entries).await.unwrap();
    assert!(matches!(written, Written::Done(_)));
    let all = two.other.changes(LedgerVersion::default()).await.unwrap();
    assert!(all.is_all);
    assert_eq!(all.entries, late);
    let since = two.other.changes(version).await.unwrap();
    assert_eq!((since.is_all, since.entries), (false, entries.to_vec()));
}

async fn launches_are_kept_for_those_who_come_later(two: Two) {
    let mut heard = two.other.notices();
    for text in ["one", "two"] {
        two.one.post_launch(text.to_owned()).await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), Notice::Launch(text.to_owned()));
    }
    assert_eq!(two.other.launches().await.unwrap(), ["one", "two"]);
}
