//! The demands of a catalog's instance types: worked out once, and each different demand kept
//! once, since hundreds of types take the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::catalog::{Release, Table};
use crate::model::{CloudKind, Demand, Market, QuotaKey, Snapshot};
use crate::source::{DemandScope, QuotaSource};

/// The demands of a catalog's instance types.
#[derive(Debug, PartialEq, Default)]
pub(super) struct Demands {
    distinct: Vec<Demand>,
    /// For each shape the number of its demand, on-demand and as spot.
    of_shape: Vec<[u32; 2]>,
    /// The quotas that offers with accelerators draw on.
    accelerator_quotas: Arc<BTreeSet<QuotaKey>>,
    /// The GPU models of the offers that draw on each quota.
    gpus: BTreeMap<QuotaKey, BTreeSet<String>>,
}

impl Demands {
    fn new(table: &Table, source: &dyn QuotaSource, snapshot: &Snapshot) -> Self {
        let mut numbers: HashMap<Demand, u32> = HashMap::new();
        let mut number = |demand| {
            let next = numbers.len() as u32;
            *numbers.entry(demand).or_insert(next)
        };
        let of_shape: Vec<[u32; 2]> = table
            .shapes()
            .iter()
            .map(|shape| {
                let instance = shape.instance();
                [Market::OnDemand, Market::Spot]
                    .map(|market| number(source.demand(&instance, market, snapshot)))
            })
            .collect();
        let mut distinct: Vec<(Demand, u32)> = numbers.into_iter().collect();
        distinct.sort_unstable_by_key(|(_, number)| *number);
        let distinct: Vec<_> = distinct.into_iter().map(|(demand, _)| demand).collect();
        let mut gpus: BTreeMap<QuotaKey, BTreeSet<String>> = BTreeMap::new();
        for (shape, numbers) in table.shapes().iter().zip(&of_shape) {
            let Some(gpu) = &shape.gpu else { continue };
            for draw in numbers
                .iter()
                .flat_map(|number| &distinct[*number as usize].draws)
            {
                let names = gpus.entry(draw.quota.clone()).or_default();
                if !names.contains(&*gpu.name) {
                    names.insert(gpu.name.to_string());
                }
            }
        }
        let shapes = table.shapes().iter().zip(&of_shape);
        let with_accelerator = shapes.filter(|(shape, _)| shape.gpu.is_some());
        let draws = with_accelerator
            .flat_map(|(_, numbers)| numbers)
            .flat_map(|number| &distinct[*number as usize].draws);
        Self {
            accelerator_quotas: Arc::new(draws.map(|draw| draw.quota.clone()).collect()),
            gpus,
            distinct,
            of_shape,
        }
    }

    /// Returns the different demands, by their numbers.
    pub(super) fn distinct(&self) -> &[Demand] {
        &self.distinct
    }

    /// Returns the quotas that offers with accelerators draw on.
    pub(super) fn accelerator_quotas(&self) -> &Arc<BTreeSet<QuotaKey>> {
        &self.accelerator_quotas
    }

    /// Returns the GPU models of the offers that draw on each quota.
    pub(super) fn gpus(&self) -> &BTreeMap<QuotaKey, BTreeSet<String>> {
        &self.gpus
    }

    /// Returns the number of the demand of a shape, by its place in the same catalog.
    pub(super) fn number(&self, shape: usize, market: Market) -> u32 {
        let [on_demand, spot] = self.of_shape[shape];
        match market {
            Market::OnDemand => on_demand,
            Market::Spot => spot,
        }
    }

    /// Returns the demand of that number.
    pub(super) fn get(&self, number: u32) -> &Demand {
        &self.distinct[number as usize]
    }
}

/// The demands that backends share, as long as some backend uses them.
#[derive(Debug, Default)]
pub(in crate::oracle) struct SharedDemands(Mutex<Vec<Shared>>);

#[derive(Debug)]
struct Shared {
    kind: CloudKind,
    /// Of what the demands depend on besides.
    fingerprint: u64,
    release: Weak<Release>,
    demands: Weak<Demands>,
}

impl SharedDemands {
    /// Returns the demands of a region of a backend: shared with other backends and regions, or
    /// `before` again, as far as the source says that they are the same.
    pub(super) fn of(
        &self,
        kind: &CloudKind,
        release: &Arc<Release>,
        source: &dyn QuotaSource,
        snapshot: &Snapshot,
        before: Option<&Arc<Demands>>,
    ) -> Arc<Demands> {
        let make = || Demands::new(&release.table, source, snapshot);
        let fingerprint = match source.demand_scope() {
            DemandScope::Settings(settings) => Some(settings),
            DemandScope::Snapshot => source.demand_fingerprint(snapshot),
            DemandScope::Backend { .. } => None,
        };
        let Some(fingerprint) = fingerprint else {
            let demands = make();
            let same = before.filter(|before| ***before == demands);
            return same.cloned().unwrap_or_else(|| Arc::new(demands));
        };
        // Held while demands are worked out, so that it is done once.
        let mut shared = self.0.lock();
        shared.retain(|shared| shared.demands.strong_count() > 0);
        let is_same = |shared: &&Shared| {
            shared.kind == *kind
                && shared.fingerprint == fingerprint
                && std::ptr::eq(shared.release.as_ptr(), Arc::as_ptr(release))
        };
        let found = shared.iter().find(is_same);
        if let Some(demands) = found.and_then(|shared| shared.demands.upgrade()) {
            return demands;
        }
        let demands = Arc::new(make());
        shared.push(Shared {
            kind: kind.clone(),
            fingerprint,
            release: Arc::downgrade(release),
            demands: Arc::downgrade(&demands),
        });
        demands
    }
}
