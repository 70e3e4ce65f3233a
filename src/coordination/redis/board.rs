//! The boards, the failed launches and the notices, by scripts and commands.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::{Cmd, FromRedisValue, Value};
use tokio::sync::broadcast;

use super::RedisStore;
use super::notices::{Sent, What};
use crate::coordination::{Away, Board, Bulletin, Notice, Post, Posted, ReadLock, StoreTime};
use crate::model::UnitKey;

/// So many launches are kept for replicas that start later.
const LAUNCHES: isize = 2000;

/// No lesson of a launch holds longer.
const LAUNCHES_LIVE: Duration = Duration::from_secs(6 * 3600);

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
            // A lost notice costs no more than the rest of the lock: replicas ask again at its end.
            let _ = store.tell(What::Ended { unit }).await;
        });
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }
}

impl RedisStore {
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
