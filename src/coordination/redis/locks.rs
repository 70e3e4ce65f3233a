//! The locks on reading, by scripts.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::RedisStore;
use crate::coordination::{Away, Begun, FetchLock, LOCK_LIVES, ReadKind, ReadLock, StoreTime};
use crate::model::UnitKey;

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
