//! What the instance types of a catalog draw on: worked out once, and each different demand kept
//! once, since hundreds of types take the same.

use std::collections::HashMap;

use crate::catalog::Table;
use crate::model::{Demand, Market};
use crate::source::QuotaSource;

/// The demands of a catalog's instance types.
#[derive(Debug, PartialEq)]
pub(super) struct Demands {
    distinct: Vec<Demand>,
    /// For each shape the number of its demand, on-demand and as spot.
    of_shape: Vec<[u32; 2]>,
}

impl Demands {
    pub(super) fn new(table: &Table, source: &dyn QuotaSource) -> Self {
        let mut numbers: HashMap<Demand, u32> = HashMap::new();
        let mut number = |demand| {
            let next = numbers.len() as u32;
            *numbers.entry(demand).or_insert(next)
        };
        let of_shape = table
            .shapes()
            .iter()
            .map(|shape| {
                let instance = shape.instance();
                [Market::OnDemand, Market::Spot].map(|market| {
                    number(source.demand(&instance, market, &crate::model::Snapshot::default()))
                })
            })
            .collect();
        let mut distinct: Vec<(Demand, u32)> = numbers.into_iter().collect();
        distinct.sort_unstable_by_key(|(_, number)| *number);
        Self {
            distinct: distinct.into_iter().map(|(demand, _)| demand).collect(),
            of_shape,
        }
    }

    /// How many different demands there are.
    pub(super) fn len(&self) -> usize {
        self.distinct.len()
    }

    /// The number of the demand of a shape, by its place in the same catalog.
    pub(super) fn number(&self, shape: usize, market: Market) -> u32 {
        let [on_demand, spot] = self.of_shape[shape];
        match market {
            Market::OnDemand => on_demand,
            Market::Spot => spot,
        }
    }

    /// The demand of that number.
    pub(super) fn get(&self, number: u32) -> &Demand {
        &self.distinct[number as usize]
    }
}
