//! The locks on reads, as a store in memory has them.

use std::collections::HashMap;

use jiff::SignedDuration;

use crate::coordination::fetch_lock::LOCK_LIVES;
use crate::coordination::{ReadKind, ReadLock, StoreTime};
use crate::model::UnitKey;

/// The locks on reads.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: HashMap<(UnitKey, ReadKind), Held>,
    last_token: i64,
}

#[derive(Debug)]
struct Held {
    owner: u64,
    token: i64,
    until: StoreTime,
}

impl Locks {
    /// Takes a lock, or tells until when another replica has it.
    pub(super) fn take(
        &mut self,
        unit: &UnitKey,
        kind: ReadKind,
        owner: u64,
        now: StoreTime,
    ) -> Result<i64, StoreTime> {
        let key = (unit.clone(), kind);
        if let Some(held) = self.held.get(&key)
            && held.until > now
            && held.owner != owner
        {
            return Err(held.until);
        }
        let token = now.0.max(self.last_token + 1);
        self.last_token = token;
        let until = lives_until(now);
        self.held.insert(
            key,
            Held {
                owner,
                token,
                until,
            },
        );
        Ok(token)
    }

    pub(super) fn renew(&mut self, lock: &ReadLock, now: StoreTime) -> bool {
        let held = self.held.get_mut(&(lock.unit.clone(), lock.kind));
        match held.filter(|held| held.token == lock.token && held.until > now) {
            Some(held) => {
                held.until = lives_until(now);
                true
            }
            None => false,
        }
    }

    pub(super) fn end(&mut self, lock: &ReadLock) {
        let key = (lock.unit.clone(), lock.kind);
        if self
            .held
            .get(&key)
            .is_some_and(|held| held.token == lock.token)
        {
            self.held.remove(&key);
        }
    }
}

fn lives_until(now: StoreTime) -> StoreTime {
    now.plus(SignedDuration::try_from(LOCK_LIVES).unwrap_or(SignedDuration::MAX))
}
