//! The amounts that leases hold of a region's quotas.

use std::collections::BTreeMap;

use super::{Amount, Container, Quota, QuotaKey};

/// How much of each quota is held for launches under way, by quota and container.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Leased(BTreeMap<QuotaKey, Amounts>);

impl Leased {
    /// Nothing is held.
    pub const NOTHING: Self = Self(BTreeMap::new());

    /// Returns how much is held of the quota of a row, in the row's container.
    pub fn of(&self, row: &Quota) -> Amount {
        let held = self.0.get(&row.key).map_or(&[][..], Vec::as_slice);
        let mut held = held.iter();
        let own = held.find(|(container, _)| *container == row.container);
        own.map_or(Amount::ZERO, |(_, amount)| *amount)
    }

    /// Adds so much to what is held of a row's quota.
    pub fn add(&mut self, row: &Quota, amount: Amount) {
        if amount != Amount::ZERO {
            let held = self.0.entry(row.key.clone()).or_default();
            add(held, row.container.clone(), amount);
        }
    }

    /// Adds what others hold.
    pub fn merge(&mut self, others: Self) {
        for (key, amounts) in others.0 {
            let held = self.0.entry(key).or_default();
            for (container, amount) in amounts {
                add(held, container, amount);
            }
        }
    }
}

type Amounts = Vec<(Option<Container>, Amount)>;

fn add(held: &mut Amounts, container: Option<Container>, amount: Amount) {
    match held.iter_mut().find(|(known, _)| *known == container) {
        Some((_, known)) => *known = *known + amount,
        None => held.push((container, amount)),
    }
}
