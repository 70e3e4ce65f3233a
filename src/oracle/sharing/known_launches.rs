//! The launches that a replica knows, so that none is taken up twice.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::coordination::StoreTime;

/// So many launches are known as taken up: more than the store keeps.
const KNOWN: usize = 4000;

/// The launches of other replicas that were taken up, and those of this one.
#[derive(Debug, Default)]
pub(in crate::oracle) struct KnownLaunches(Mutex<BTreeSet<(StoreTime, u64)>>);

impl KnownLaunches {
    /// Notes a launch; whether it is a new one.
    pub(super) fn note(&self, at: StoreTime, id: u64) -> bool {
        let mut known = self.0.lock();
        let is_new = known.insert((at, id));
        if known.len() > KNOWN {
            known.pop_first();
        }
        is_new
    }
}
