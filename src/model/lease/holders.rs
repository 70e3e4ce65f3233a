//! The leases that hold one quota.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::LeaseId;
use crate::model::Amount;

/// The amounts that leases hold of one quota.
#[derive(Debug, Default)]
pub(super) struct Holders {
    /// How much is held for launches that have not happened yet. Holds are whole numbers, so that
    /// adding and taking away leaves no remainder.
    held: Amount,
    holding: usize,
    /// The launches that have happened, by when usage shows them.
    committed: BTreeMap<(SignedDuration, LeaseId), Amount>,
}

impl Holders {
    pub(super) fn hold(&mut self, amount: Amount) {
        self.held = self.held + amount;
        self.holding += 1;
    }

    pub(super) fn let_go(&mut self, amount: Amount) {
        self.holding -= 1;
        self.held = match self.holding {
            0 => Amount::ZERO,
            _ => self.held.saturating_sub(amount),
        };
    }

    pub(super) fn commit(&mut self, id: LeaseId, shown_from: SignedDuration, amount: Amount) {
        self.committed.insert((shown_from, id), amount);
    }

    pub(super) fn forget(&mut self, id: LeaseId, shown_from: SignedDuration) {
        self.committed.remove(&(shown_from, id));
    }

    /// Returns how much counts beside a usage in which launches are certain until `shown_until`.
    pub(super) fn counted(&self, shown_until: SignedDuration) -> Amount {
        let latest_first = self.committed.iter().rev();
        let not_shown = latest_first.take_while(|((shown_from, _), _)| *shown_from > shown_until);
        self.held + not_shown.map(|(_, amount)| *amount).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holding == 0 && self.committed.is_empty()
    }
}
