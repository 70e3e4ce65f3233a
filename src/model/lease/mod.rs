//! Leases: room that is held for launches under way, on the quotas that they draw from.
//!
//! A lease counts against a quota until it expires or is released. Once its launch is committed, it
//! counts until a usage that was asked for late enough shows the instances: in between they may
//! count twice, never not at all.

mod holders;
mod ledger;
mod request_key;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::location::name;
use super::{
    Amount, BackendName, Container, Demand, Limit, Market, Moment, Quota, QuotaKey, Region, Scope,
    Snapshot, UnitId,
};

pub use ledger::{Ledger, Passed};
pub use request_key::RequestKey;

name! {
    /// The identity of a lease, which nobody can guess.
    LeaseId
}

/// Room that is held for a launch under way.
///
/// The serialized form is that of the journal, which outlives releases: a new field is optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Its identity.
    pub id: LeaseId,
    /// The backend.
    pub backend: BackendName,
    /// The fetch unit of the region.
    pub unit: UnitId,
    /// The region of the launch.
    pub region: Region,
    /// The type to launch.
    pub instance_type: Arc<str>,
    /// How the instances are paid for.
    pub market: Market,
    /// How many are launched together.
    pub count: u32,
    /// Whether room is held for it; none is where nobody knows whether there is any.
    pub backed: bool,
    /// When it was granted.
    pub created_at: Moment,
    /// When it ends by itself, at the latest.
    pub expires_at: Moment,
    /// The launch, once it has happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Commitment>,
    /// How much it holds of which quotas.
    pub holds: Vec<Hold>,
}

/// The launch that a lease was taken for, once it has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// When it was committed.
    pub at: Moment,
    /// A usage that is asked for from then on shows the instances.
    pub shown_from: Moment,
}

/// An amount that is held of one quota.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// The quota.
    #[serde(flatten)]
    pub place: QuotaPlace,
    /// How much of it.
    pub amount: Amount,
}

/// A quota among all of a backend: one that is the same for all regions has no region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QuotaPlace {
    /// The region, unless the quota is one for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The quota.
    pub key: QuotaKey,
    /// Whose limit it is, where a cloud sets limits on several layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
}

impl QuotaPlace {
    /// The quota of a row that a region shows.
    pub fn of(row: &Quota, region: &Region) -> Self {
        Self {
            region: (row.scope != Scope::Global).then(|| region.clone()),
            key: row.key.clone(),
            container: row.container.clone(),
        }
    }
}

impl Lease {
    /// Whether it holds a quota that is one for all regions.
    pub fn is_global(&self) -> bool {
        self.holds.iter().any(|hold| hold.place.region.is_none())
    }

    /// Returns the lease with its launch noted: it ends at `ends_at` at the latest. One that is
    /// committed already stays as it is.
    #[must_use]
    pub fn committed(&self, commitment: Commitment, ends_at: Moment) -> Self {
        match self.commitment {
            Some(_) => self.clone(),
            None => Self {
                commitment: Some(commitment),
                expires_at: ends_at,
                ..self.clone()
            },
        }
    }

    /// Returns the lease with another end, unless its launch has happened.
    #[must_use]
    pub fn renewed(&self, expires_at: Moment) -> Self {
        match self.commitment {
            Some(_) => self.clone(),
            None => Self {
                expires_at,
                ..self.clone()
            },
        }
    }

    /// Replaces each moment by what `restore` makes of it, since only its wall time is stored.
    pub fn restore_moments(&mut self, restore: impl Fn(Moment) -> Moment) {
        self.created_at = restore(self.created_at);
        self.expires_at = restore(self.expires_at);
        self.commitment = self.commitment.map(|commitment| Commitment {
            at: restore(commitment.at),
            shown_from: restore(commitment.shown_from),
        });
    }
}

/// Returns what `count` launches that each take `demand` hold of the rows of a region: one amount
/// for every container that limits them.
pub fn holds(demand: &Demand, count: u32, rows: &Snapshot, region: &Region) -> Vec<Hold> {
    let amounts = demand
        .draws
        .iter()
        .filter_map(|draw| Some((&draw.quota, (draw.amount? * count).ceil())));
    let of_draw = |(key, amount): (&QuotaKey, Amount)| {
        let limiting = rows.quotas().iter().filter(|row| {
            row.key == *key && matches!(row.limit, Limit::Known(_)) && amount > Amount::ZERO
        });
        let hold = |row| Hold {
            place: QuotaPlace::of(row, region),
            amount,
        };
        limiting.map(hold).collect::<Vec<_>>()
    };
    amounts.flat_map(of_draw).collect()
}

/// Returns until when launches are certainly in the usage that a row states, given when its call
/// was sent and what time it is now: a launch that was committed to be shown later counts besides.
///
/// The cloud itself may have counted before it was asked. Where usage is unknown, no later read
/// could show a launch, so the clock alone decides.
pub fn shown_until(row: &Quota, observed_at: Option<Moment>, now: Moment) -> Moment {
    match (row.usage.known(), observed_at) {
        (Some(_), Some(observed_at)) => row.usage.counted_at(observed_at),
        _ => now,
    }
}

#[cfg(test)]
mod tests;
