//! Keeps the connection: connects, looks every second whether the store still answers and can be
//! written to, and connects anew.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use redis::aio::PubSub;
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, ScriptInvocation};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::RedisStore;
use super::connection::Connection;
use super::notices;
use crate::coordination::{Away, SharedStore, StoreTime};

/// A command that is not answered in this time makes the store away. A healthy one answers in less
/// than a millisecond; callers wait for it beside calls of a hundred.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);

/// Everything that belongs to making a connection.
const OPENING_TIMEOUT: Duration = Duration::from_secs(4);

/// Between two looks whether the store still answers.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A replica of which nothing was heard for so long is not counted any more.
const REPLICA_LIVES: Duration = Duration::from_secs(10);

/// All replicas have come back to a store in this time: none pauses longer between two attempts.
const ALL_RETURN: Duration = Duration::from_secs(5);

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl SharedStore for RedisStore {
    fn keep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        async move {
            let mut failures = 0_u32;
            loop {
                match timeout(OPENING_TIMEOUT, self.open()).await {
                    Ok(Ok(subscription)) => {
                        failures = 0;
                        self.follow(subscription).await;
                    }
                    Ok(Err(reason)) => self.status.note_away(&reason),
                    Err(_) => self.status.note_away("no connection within 4 s"),
                }
                failures = failures.saturating_add(1);
                // Spread, so that a store that comes back is not met by all replicas at once.
                let longest = Duration::from_millis(100) * 2_u32.saturating_pow(failures.min(10));
                let chance: f64 = rand::random();
                sleep(longest.min(LONGEST_PAUSE).mul_f64(0.5 + chance / 2.0)).await;
            }
        }
        .boxed()
    }
}

impl RedisStore {
    /// Connects; the store is up from then on.
    async fn open(&self) -> Result<PubSub, String> {
        let address = self.address()?;
        let in_words = |error: RedisError| describe(&error);
        let client = address.client().map_err(in_words)?;
        let (connection, mut subscription) = Connection::open(client)
            .await
            .map_err(|error| format!("{}: {}", address.shown(), describe(&error)))?;
        let channel = self.keys.channel();
        subscription.subscribe(channel).await.map_err(in_words)?;
        self.lost.notified().now_or_never();
        self.connection.store(Some(Arc::new(connection)));
        let beat = self.beat().await;
        beat.map_err(|Away| match self.status.state().away {
            Some((_, reason)) => reason,
            None => Away.to_string(),
        })?;
        Ok(subscription)
    }

    /// Hands on the notices of a connection until it is lost.
    async fn follow(&self, subscription: PubSub) {
        let mut messages = subscription.into_on_message();
        let mut beats = interval(HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.lost.notified() => return,
                message = messages.next() => match message {
                    Some(message) => {
                        let notice = notices::parse(message.get_payload_bytes(), &self.me, &self.keys);
                        // Nobody follows yet where it fails.
                        let _ = notice.map(|notice| self.notices.send(notice));
                    }
                    None => {
                        self.lose(None, "its subscription has ended");
                        return;
                    }
                },
                _ = beats.tick() => if self.beat().await.is_err() {
                    return;
                },
            }
        }
    }

    /// Tells the store that this replica lives, and learns its time.
    async fn beat(&self) -> Result<(), Away> {
        let sent = self.clock.now();
        let lives = REPLICA_LIVES.as_micros().to_string();
        let state = self.status.state();
        let was_away = state.away.is_some() && state.returns > 0;
        let place = self.status.place().map_or(-1, i64::from);
        let mut invocation = self.scripts.heartbeat.prepare_invoke();
        let invocation = invocation
            .key(self.keys.replicas())
            .key(self.keys.share_from())
            .key(self.keys.places())
            .arg(&self.me)
            .arg(lives)
            .arg(if was_away { "1" } else { "0" })
            .arg(ALL_RETURN.as_micros().to_string())
            .arg(place);
        let (time, replicas, place, from): (i64, u32, u32, i64) = self.run(invocation).await?;
        let received = self.clock.now();
        // The store looked at its clock about halfway.
        let halfway = sent.plus(sent.age(received) / 2);
        self.status.note_replicas(replicas, place);
        self.status.note_share_from(StoreTime(from));
        self.status.note_up(StoreTime(time), halfway);
        Ok(())
    }

    /// Returns the connection; without one the store is away for everybody, whatever a heartbeat
    /// that was under way meanwhile has said.
    fn connected(&self) -> Result<Arc<Connection>, Away> {
        let connection = self.connection.load_full();
        if connection.is_none() && self.status.is_up() {
            self.status.note_away("its connection was lost");
            self.lost.notify_one();
        }
        connection.ok_or(Away)
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, Away> {
        let connection = self.connected()?;
        let mut own = Connection::clone(&connection);
        let answer = invocation.invoke_async(&mut own);
        self.answer(&connection, answer).await
    }

    /// Runs a command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        let connection = self.connected()?;
        let mut own = Connection::clone(&connection);
        let answer = command.query_async(&mut own);
        self.answer(&connection, answer).await
    }

    /// Runs commands on one key, one after the other.
    pub(super) async fn pipeline(&self, commands: &Pipeline) -> Result<(), Away> {
        let connection = self.connected()?;
        let mut own = Connection::clone(&connection);
        let answer = commands.exec_async(&mut own);
        self.answer(&connection, answer).await
    }

    async fn answer<T>(
        &self,
        connection: &Arc<Connection>,
        answer: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, Away> {
        self.status.note_round_trip();
        match timeout(COMMAND_TIMEOUT, answer).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => self.lose(Some(connection), &describe(&error)),
            Err(_) => self.lose(Some(connection), "a command was not answered within 1 s"),
        }
        Err(Away)
    }

    /// Gives up a connection, unless it was replaced meanwhile.
    fn lose(&self, connection: Option<&Arc<Connection>>, reason: &str) {
        let current = self.connection.load_full();
        let is_current = match (connection, &current) {
            (Some(lost), Some(current)) => Arc::ptr_eq(lost, current),
            (Some(_), None) => false,
            (None, _) => true,
        };
        if is_current {
            self.connection.store(None);
            self.status.note_away(reason);
            self.lost.notify_one();
        }
    }
}

fn describe(error: &RedisError) -> String {
    error.to_string()
}
