//! Whose turn it is to read a unit: one replica reads, the others wait for what it brings.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::coordination::{Begun, LOCK_LIVES, ReadKind, ReadLock};
use crate::oracle::unit::UnitState;
use crate::source::{Priority, Urgency};

use super::Sharing;

/// A lock of which the end was not heard is tried again so long after it.
const AFTER_ITS_END: Duration = Duration::from_millis(20);

/// Whose turn it is to read a unit.
#[derive(Debug)]
pub(in crate::oracle) enum Turn {
    /// This replica's, and nobody else reads meanwhile.
    Ours(ReadLock),
    /// This replica's, without knowing of the others.
    Alone,
    /// Another replica has read what is wanted.
    Done,
}

impl Sharing {
    /// Waits for the turn to read a unit, by the deadline at the latest; `is_done` tells whether
    /// what is known by now is what was wanted.
    pub(in crate::oracle) async fn turn(
        &self,
        unit: &Arc<UnitState>,
        kind: ReadKind,
        urgency: &Urgency,
        deadline: Instant,
        is_done: impl Fn() -> bool,
    ) -> Turn {
        self.first_contact().await;
        let mut rises = urgency.subscribe();
        let mut told = Priority::Background;
        loop {
            let news = unit.board.news.notified();
            let mut news = std::pin::pin!(news);
            // Before the board is looked at, so that nothing posted in between is missed.
            news.as_mut().enable();
            let Ok(begun) = self.store().begin(&unit.key, kind).await else {
                return Turn::Alone;
            };
            let (lock, until, version) = match begun {
                Begun::Granted { lock, version } => (Some(lock), None, version),
                Begun::Held { until, version } => (None, Some(until), version),
            };
            if version > unit.board.version() {
                let _ = self.take_up(unit).await;
            }
            if is_done() {
                if let Some(lock) = lock {
                    let _ = self.store().end(&lock).await;
                }
                return Turn::Done;
            }
            if let Some(lock) = lock {
                return Turn::Ours(lock);
            }
            if !self.status().is_up() {
                return Turn::Alone;
            }
            let until = until.map(|until| until.since(self.status().now()));
            let left = until.and_then(|left| Duration::try_from(left).ok());
            let again = Instant::now() + left.unwrap_or_default() + AFTER_ITS_END;
            let priority = *rises.borrow_and_update();
            if priority < told {
                told = priority;
                self.store().hurry(&unit.key, priority as u8);
            }
            let mut states = self.status().subscribe();
            tokio::select! {
                () = news => {}
                () = sleep_until(again.min(deadline)) => {}
                _ = rises.changed() => {}
                _ = states.wait_for(|state| state.away.is_some()) => return Turn::Alone,
            }
            if Instant::now() >= deadline {
                return Turn::Alone;
            }
        }
    }

    /// Holds a lock while something is read.
    pub(in crate::oracle) async fn holding<T>(
        &self,
        lock: &ReadLock,
        read: impl Future<Output = T>,
    ) -> T {
        let renewing = async {
            loop {
                sleep(LOCK_LIVES / 4).await;
                let renewed = timeout(LOCK_LIVES / 4, self.store().renew(lock)).await;
                if let Ok(Ok(false)) = renewed {
                    tracing::info!(unit = %lock.unit, "another replica has taken over a read");
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            result = read => result,
            () = renewing => unreachable!("renewing a lock never ends"),
        }
    }

    /// Ends a lock, and tells whoever waits for its end.
    pub(in crate::oracle) async fn end(&self, lock: &ReadLock) {
        if self.store().end(lock).await.is_ok() {
            self.store().tell_ended(&lock.unit);
        }
    }
}
