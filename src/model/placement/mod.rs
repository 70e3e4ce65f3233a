//! Where a number of GPUs fits: on nodes of one type, all in one region.

use std::cmp::Ordering;
use std::num::NonZeroU32;

use super::{Outcome, Outlook};

/// A number of GPUs, placed on nodes of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The number of nodes that hold them.
    pub nodes: u32,
    /// The GPUs of those nodes: those that are wanted, and what the last node has to spare.
    pub gpus: u64,
    /// Whether they fit.
    pub standing: Standing,
}

/// Whether a placement fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// All nodes fit.
    Fits,
    /// The quotas hold fewer nodes.
    Short {
        /// How many of the wanted GPUs have no place.
        missing: u32,
    },
    /// It cannot be said.
    Unknown,
    /// Such launches are prevented, whatever the quotas.
    NotAvailable,
}

impl Placement {
    /// Places `wanted` GPUs on nodes with `per_node` of them, each of which takes what `outlook` is
    /// about.
    pub fn new(wanted: NonZeroU32, per_node: NonZeroU32, outlook: &Outlook) -> Self {
        let nodes = wanted.get().div_ceil(per_node.get());
        let standing = match outlook.outcome(nodes) {
            Outcome::Fits => Standing::Fits,
            Outcome::Unknown(_) => Standing::Unknown,
            Outcome::Short(_) => {
                let held = outlook.launchable(nodes).unwrap_or_default();
                let held = held.saturating_mul(per_node.get().into());
                // One of the nodes does not fit, so fewer GPUs have a place than are wanted.
                let held = u32::try_from(held).unwrap_or(u32::MAX);
                let missing = wanted.get().saturating_sub(held).max(1);
                Standing::Short { missing }
            }
        };
        Self {
            nodes,
            gpus: u64::from(nodes) * u64::from(per_node.get()),
            standing,
        }
    }

    /// Returns the price of all nodes, by that of one.
    pub fn price(&self, of_a_node: Option<f64>) -> Option<f64> {
        of_a_node.map(|price| price * f64::from(self.nodes))
    }

    /// Compares two placements of the same GPUs with the prices of a node: the better standing
    /// first, then the cheaper one, then the one with fewer GPUs to spare.
    pub fn compare(a: (&Self, Option<f64>), b: (&Self, Option<f64>)) -> Ordering {
        let standing = |(placement, _): (&Self, _)| placement.standing;
        let price = |(placement, price): (&Self, Option<f64>)| {
            placement.price(price).unwrap_or(f64::INFINITY)
        };
        let gpus = |(placement, _): (&Self, _)| placement.gpus;
        standing(a)
            .cmp(&standing(b))
            .then(price(a).total_cmp(&price(b)))
            .then(gpus(a).cmp(&gpus(b)))
    }
}

#[cfg(test)]
mod tests;
