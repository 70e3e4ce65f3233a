//! The ledger of leases, as a store in memory has it.

use std::collections::BTreeMap;

use crate::coordination::{LeaseEntry, LedgerChanges, LedgerVersion, StoreTime, Written};

/// So many changes are kept for those who follow; whoever is further behind gets everything.
const KEPT: usize = 512;

/// The ledger of leases.
#[derive(Debug)]
pub(super) struct Ledger {
    version: LedgerVersion,
    entries: BTreeMap<String, LeaseEntry>,
    log: Vec<(i64, LeaseEntry)>,
}

impl Ledger {
    pub(super) fn new(now: StoreTime) -> Self {
        Self {
            version: LedgerVersion {
                generation: now,
                number: 0,
            },
            entries: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub(super) fn write(
        &mut self,
        at: LedgerVersion,
        entries: &[LeaseEntry],
        now: StoreTime,
    ) -> Written {
        if at != self.version {
            return Written::Behind(self.changes(at, now));
        }
        self.version.number += 1;
        for entry in entries {
            match entry.lease.is_empty() {
                true => self.entries.remove(&entry.id),
                false => self.entries.insert(entry.id.clone(), entry.clone()),
            };
            self.log.push((self.version.number, entry.clone()));
        }
        let surplus = self.log.len().saturating_sub(KEPT);
        self.log.drain(..surplus);
        self.entries.retain(|_, entry| entry.ends > now);
        Written::Done(self.version)
    }

    pub(super) fn changes(&self, since: LedgerVersion, now: StoreTime) -> LedgerChanges {
        let same = since.generation == self.version.generation;
        let oldest = self
            .log
            .first()
            .map_or(self.version.number, |(number, _)| number - 1);
        let is_all = !same || since.number < oldest;
        let entries = match is_all {
            true => {
                let all = self.entries.values().filter(|entry| entry.ends > now);
                all.cloned().collect()
            }
            false => {
                let log = self.log.iter().filter(|(number, _)| *number > since.number);
                log.map(|(_, entry)| entry.clone()).collect()
            }
        };
        LedgerChanges {
            version: self.version,
            is_all,
            entries,
        }
    }
}
