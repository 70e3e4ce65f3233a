//! The quotas that launching an offer draws from, and how much of each.

use super::{Amount, QuotaKey};

/// The quotas that one instance draws from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Demand {
    /// The quotas that are known to be drawn on, each once.
    pub draws: Vec<Draw>,
    /// Why the quotas above are not all of them, if they are not: no verdict but `short` can then
    /// be known.
    pub unmapped: Option<String>,
}

/// The amount that one instance takes of one quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Draw {
    /// Which quota.
    pub quota: QuotaKey,
    /// How much, in the quota's unit, if known.
    pub amount: Option<Amount>,
}

impl Demand {
    /// Takes this much of a quota, besides what is already taken of it.
    pub fn take(&mut self, quota: QuotaKey, amount: Option<Amount>) {
        match self.draws.iter_mut().find(|draw| draw.quota == quota) {
            Some(draw) => draw.amount = draw.amount.zip(amount).map(|(a, b)| a + b),
            None => self.draws.push(Draw { quota, amount }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_twice_of_one_quota_adds_up() {
        let (cpu, disk) = (QuotaKey::new("ec2", "cpu"), QuotaKey::new("ebs", "disk"));
        let mut demand = Demand::default();
        demand.take(cpu.clone(), Some(Amount::from(2u32)));
        demand.take(disk.clone(), Some(Amount::from(1u32)));
        demand.take(cpu, Some(Amount::from(3u32)));
        demand.take(disk, None);
        let amounts: Vec<_> = demand.draws.iter().map(|draw| draw.amount).collect();
        assert_eq!(amounts, [Some(Amount::from(5u32)), None]);
    }
}
