//! The ledger of leases, by a script.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::RedisStore;
use crate::coordination::{
    Away, LeaseEntry, LeaseStore, LedgerChanges, LedgerVersion, StoreTime, Written,
};

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
