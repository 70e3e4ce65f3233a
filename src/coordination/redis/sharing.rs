//! What is shared, by scripts and commands.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::{Cmd, FromRedisValue, Value};
use tokio::sync::broadcast;

use super::RedisStore;
use super::notices::{Sent, What};
use crate::coordination::{
    Away, Begun, Board, Bulletin, CallEnd, FetchLock, LOCK_LIVES, LeaseEntry, LeaseStore,
    LedgerChanges, LedgerVersion, Notice, Post, Posted, RateScope, RateShare, ReadKind, ReadLock,
    SharedPolicy, SharedRate, StoreTime, TokenWish, Turn, Written,
};
use crate::model::{Failure, FailureKind, UnitKey};

/// So many launches are kept for replicas that start later.
const LAUNCHES: isize = 2000;

/// No lesson of a launch holds longer.
const LAUNCHES_LIVE: Duration = Duration::from_secs(6 * 3600);

impl FetchLock for RedisStore {
    fn begin<'a>(
        &'a self,
        unit: &'a UnitKey,
        kind: ReadKind,
    ) -> BoxFuture<'a, Result<Begun, Away>> {
        async move {
            let mut lock = ReadLock {
                unit: unit.clone(),
                kind,
                token: 0,
            };
            let mut invocation = self.scripts.begin.prepare_invoke();
            let invocation = invocation
                .key(self.keys.lock(&lock))
                .key(self.keys.board(unit))
                .arg(&self.me)
                .arg(LOCK_LIVES.as_millis().to_string());
            let (answer, number, version): (String, i64, i64) = self.run(invocation).await?;
            Ok(match answer.as_str() {
                "granted" => {
                    lock.token = number;
                    Begun::Granted { lock, version }
                }
                _ => Begun::Held {
                    until: StoreTime(number),
                    version,
                },
            })
        }
        .boxed()
    }

    fn renew<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<bool, Away>> {
        async move {
            let mut invocation = self.scripts.renew.prepare_invoke();
            let invocation = invocation
                .key(self.keys.lock(lock))
                .arg(lock.token.to_string())
                .arg(LOCK_LIVES.as_millis().to_string());
            self.run(invocation).await
        }
        .boxed()
    }

    fn end<'a>(&'a self, lock: &'a ReadLock) -> BoxFuture<'a, Result<(), Away>> {
        async move {
            let mut invocation = self.scripts.end.prepare_invoke();
            let invocation = invocation
                .key(self.keys.lock(lock))
                .arg(lock.token.to_string());
            let _: i64 = self.run(invocation).await?;
            Ok(())
        }
        .boxed()
    }
}

impl RateShare for RedisStore {
    fn take<'a>(
        &'a self,
        scope: &'a RateScope,
        rate: SharedRate,
        wish: TokenWish,
    ) -> BoxFuture<'a, Result<Turn, Away>> {
        async move {
            let flag = |is_set: bool| if is_set { "1" } else { "0" };
            let mut invocation = self.scripts.take.prepare_invoke();
            let invocation = invocation
                .key(self.keys.rate(scope))
                .arg(rate.interval.as_micros().to_string())
                .arg(rate.burst)
                .arg(flag(wish.is_background))
                .arg(self.status.share_from().0)
                .arg(flag(wish.returns_one));
            let answer: Vec<String> = self.run(invocation).await?;
            Ok(turn(&answer).unwrap_or(Turn::Wait(Duration::from_millis(250))))
        }
        .boxed()
    }

    fn report(&self, scope: &RateScope, policy: SharedPolicy, end: CallEnd) {
        let Some(store) = self.itself.upgrade() else {
            return;
        };
        let scope = scope.clone();
        tokio::spawn(async move { store.report_now(&scope, policy, &end).await });
    }
}

/// Reads the answer to whoever wants to call.
fn turn(answer: &[String]) -> Option<Turn> {
    let duration = |text: &String| Some(Duration::from_micros(text.parse().ok()?));
    match answer {
        [kind, at, factor, is_probe, is_troubled] if kind == "taken" => Some(Turn::Taken {
            is_probe: is_probe == "1",
            factor: factor.parse().ok()?,
            is_troubled: is_troubled == "1",
            at: StoreTime(at.parse().ok()?),
        }),
        [kind, left, cause] if kind == "open" => {
            let unread =
                || Failure::new(FailureKind::Unavailable, "another replica could not call");
            let cause = serde_json::from_str(cause).unwrap_or_else(|_| unread());
            Some(Turn::Open(duration(left)?, cause))
        }
        [kind, wait, _] if kind == "wait" => Some(Turn::Wait(duration(wait)?)),
        _ => None,
    }
}

impl RedisStore {
    async fn report_now(&self, scope: &RateScope, policy: SharedPolicy, end: &CallEnd) {
        let failure = match &end.result {
            Some(Err(failure)) => Some(failure),
            _ => None,
        };
        let kind = match (&end.result, failure) {
            (_, Some(failure)) if failure.kind == FailureKind::Throttled => "throttled",
            (_, Some(_)) => "failed",
            (Some(_), None) => "answered",
            (None, None) => "unknown",
        };
        let asked = failure.and_then(|failure| failure.retry_after);
        let cause = failure.and_then(|failure| serde_json::to_string(failure).ok());
        let chance: f64 = rand::random();
        let mut invocation = self.scripts.report.prepare_invoke();
        let invocation = invocation
            .key(self.keys.rate(scope))
            .arg(kind)
            .arg(if end.is_probe { "1" } else { "0" })
            .arg(end.sent_at.0)
            .arg(asked.unwrap_or_default().as_micros().to_string())
            .arg(cause.unwrap_or_default())
            .arg(policy.throttles)
            .arg(policy.outages)
            .arg(policy.first_period.as_micros().to_string())
            .arg(policy.longest_period.as_micros().to_string())
            .arg(chance);
        // A report that is lost with the store is of no use to anybody.
        let _ = self.run::<i64>(invocation).await;
    }

    async fn tell(&self, what: What) -> Result<(), Away> {
        let sent = Sent {
            by: self.me.clone(),
            what,
        };
        let text = serde_json::to_string(&sent).unwrap_or_default();
        let mut publish = Cmd::new();
        publish.arg("PUBLISH").arg(self.keys.channel()).arg(text);
        let _: i64 = self.command(&publish).await?;
        Ok(())
    }
}

impl LeaseStore for RedisStore {
    fn write<'a>(
        &'a self,
        at: LedgerVersion,
        entries: &'a [LeaseEntry],
    ) -> BoxFuture<'a, Result<Written, Away>> {
        async move {
            let answer = self.ledger(at, entries).await?;
            let [kind, generation, number, lines @ ..] = &answer[..] else {
                return Err(Away);
            };
            let version = ledger_version(generation, number).ok_or(Away)?;
            Ok(match kind.as_str() {
                "done" => Written::Done(version),
                kind => Written::Behind(changes(kind, version, lines)),
            })
        }
        .boxed()
    }

    fn changes(&self, since: LedgerVersion) -> BoxFuture<'_, Result<LedgerChanges, Away>> {
        async move {
            let answer = self.ledger(since, &[]).await?;
            let [kind, generation, number, lines @ ..] = &answer[..] else {
                return Err(Away);
            };
            let version = ledger_version(generation, number).ok_or(Away)?;
            Ok(changes(kind, version, lines))
        }
        .boxed()
    }
}

impl RedisStore {
    async fn ledger(&self, at: LedgerVersion, entries: &[LeaseEntry]) -> Result<Vec<String>, Away> {
        let mut invocation = self.scripts.leases.prepare_invoke();
        for key in self.keys.ledger() {
            invocation.key(key);
        }
        invocation
            .arg(at.generation.0.to_string())
            .arg(at.number.to_string())
            .arg(self.keys.channel())
            .arg(&self.me);
        for entry in entries {
            invocation
                .arg(&entry.id)
                .arg(entry.ends.0.to_string())
                .arg(&entry.lease);
        }
        self.run(&invocation).await
    }
}

fn ledger_version(generation: &str, number: &str) -> Option<LedgerVersion> {
    Some(LedgerVersion {
        generation: StoreTime(generation.parse().ok()?),
        number: number.parse().ok()?,
    })
}

fn changes(kind: &str, version: LedgerVersion, lines: &[String]) -> LedgerChanges {
    let entry = |line: &String| {
        let mut parts = line.splitn(4, '|').skip(1);
        let ends = StoreTime(parts.next()?.parse().ok()?);
        let id = parts.next()?.to_owned();
        let lease = parts.next()?.to_owned();
        Some(LeaseEntry { id, ends, lease })
    };
    LedgerChanges {
        version,
        is_all: kind == "all",
        entries: lines.iter().filter_map(entry).collect(),
    }
}

impl Bulletin for RedisStore {
    fn post<'a>(
        &'a self,
        unit: &'a UnitKey,
        post: Post,
        lock: Option<&'a ReadLock>,
    ) -> BoxFuture<'a, Result<Option<(i64, i64)>, Away>> {
        async move {
            let (kind, started, name, bytes) = match post {
                Post::Full(started, bytes) => ("full", started.0, String::new(), bytes),
                Post::Rows(started, name, bytes) => ("rows", started.0, name, bytes),
                Post::Failure(bytes) => ("failure", 0, String::new(), bytes),
            };
            let mut invocation = self.scripts.post.prepare_invoke();
            let invocation = invocation
                .key(self.keys.board(unit))
                .arg(kind)
                .arg(lock.map_or(0, |lock| lock.token).to_string())
                .arg(bytes)
                .arg(started.to_string())
                .arg(name);
            let (before, version): (i64, i64) = self.run(invocation).await?;
            if version == 0 {
                return Ok(None);
            }
            let unit = self.keys.unit(unit);
            let mut note = Cmd::new();
            note.arg("HSET")
                .arg(self.keys.versions())
                .arg(&unit)
                .arg(version);
            // Both at once; on a cluster they may go to different nodes.
            let note = self.command::<i64>(&note);
            let tell = self.tell(What::Unit { unit, version });
            let (noted, told) = futures_util::future::join(note, tell).await;
            noted.and(told).map(|()| Some((before, version)))
        }
        .boxed()
    }

    fn board<'a>(&'a self, unit: &'a UnitKey, since: i64) -> BoxFuture<'a, Result<Board, Away>> {
        async move {
            let mut invocation = self.scripts.board.prepare_invoke();
            let invocation = invocation.key(self.keys.board(unit)).arg(since.to_string());
            let answer: Vec<Value> = self.run(invocation).await?;
            Ok(board(&answer).unwrap_or_default())
        }
        .boxed()
    }

    fn versions(&self) -> BoxFuture<'_, Result<Vec<(UnitKey, i64)>, Away>> {
        async move {
            let mut all = Cmd::new();
            all.arg("HGETALL").arg(self.keys.versions());
            let all: Vec<(String, i64)> = self.command(&all).await?;
            let units = all
                .into_iter()
                .filter_map(|(unit, version)| Some((self.keys.parse_unit(&unit)?, version)));
            Ok(units.collect())
        }
        .boxed()
    }

    fn post_launch(&self, launch: String) -> BoxFuture<'_, Result<(), Away>> {
        async move {
            let key = self.keys.launches();
            let mut kept = redis::pipe();
            kept.rpush(&key, &launch).ignore();
            kept.ltrim(&key, -LAUNCHES, -1).ignore();
            let lives = LAUNCHES_LIVE.as_secs().cast_signed();
            kept.expire(&key, lives).ignore();
            self.pipeline(&kept).await?;
            self.tell(What::Launch { launch }).await
        }
        .boxed()
    }

    fn launches(&self) -> BoxFuture<'_, Result<Vec<String>, Away>> {
        async move {
            let mut all = Cmd::new();
            all.arg("LRANGE").arg(self.keys.launches()).arg(0).arg(-1);
            self.command(&all).await
        }
        .boxed()
    }

    fn hurry(&self, unit: &UnitKey, priority: u8) {
        let Some(store) = self.itself.upgrade() else {
            return;
        };
        let unit = self.keys.unit(unit);
        tokio::spawn(async move {
            // It only makes a read more urgent that comes in any case.
            let _ = store.tell(What::Hurry { unit, priority }).await;
        });
    }

    fn tell_ended(&self, unit: &UnitKey) {
        let Some(store) = self.itself.upgrade() else {
            return;
        };
        let unit = self.keys.unit(unit);
        tokio::spawn(async move {
            // Whoever waits looks again when the lock would have ended.
            let _ = store.tell(What::Ended { unit }).await;
        });
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }
}

/// Reads the posts on a board.
fn board(answer: &[Value]) -> Option<Board> {
    let text = |value: &Value| String::from_redis_value_ref(value).ok();
    let mut board = Board {
        version: text(answer.first()?)?.parse().ok()?,
        ..Board::default()
    };
    for pair in answer[1..].chunks_exact(2) {
        let name = text(&pair[0])?;
        let bytes = Vec::<u8>::from_redis_value_ref(&pair[1]).ok()?;
        let mut parts = bytes.splitn(3, |byte| *byte == b'|');
        let mut number = || str::from_utf8(parts.next()?).ok()?.parse().ok();
        let posted = Posted {
            version: number()?,
            started: StoreTime(number()?),
            bytes: parts.next()?.to_vec(),
        };
        match name.as_str() {
            "full" => board.full = Some(posted),
            "failure" => board.failure = Some(posted.bytes),
            _ => board.rows.push(posted),
        }
    }
    board.rows.sort_by_key(|posted| posted.version);
    Some(board)
}
