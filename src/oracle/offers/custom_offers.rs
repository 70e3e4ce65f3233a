//! Offers that the caller lists, judged one by one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::{Provider, Shape};
use crate::model::{BackendName, Demand, Draw, Gpu, Instance, Market, QuotaKey, Snapshot};
use crate::oracle::backend::BackendState;
use crate::oracle::quotas::view;
use crate::oracle::state::{Oracle, OracleState};
use crate::source::DemandScope;

use super::assessment::Assessment;
use super::explained::ExplainedVerdicts;
use super::judged_catalog::JudgedCatalog;
use super::judging::{judged_catalog, request_in_background};
use super::page::OfferedBackend;
use super::region_verdicts::RegionVerdicts;
use super::verdict_counts::VerdictCounts;

/// An offer of the caller's own.
#[derive(Clone, Copy, Debug)]
pub struct CustomOffer<'a> {
    /// The backend's name.
    pub backend: &'a str,
    /// The cloud's own region name.
    pub region: &'a str,
    /// The cloud's name of the type.
    pub instance_type: &'a str,
    /// How it is paid for.
    pub market: Market,
    /// Virtual CPUs; the catalog's if absent.
    pub cpus: Option<u32>,
    /// Memory in GiB; the catalog's if absent.
    pub memory_gb: Option<f64>,
    /// The GPUs; the catalog's if absent.
    pub gpu: Option<CustomGpu<'a>>,
    /// Disk to create with it, in GiB, if that is to be judged.
    pub disk_gb: Option<f64>,
    /// Whether it takes a public IPv4 address, if that is to be judged.
    pub public_ip: bool,
}

/// The GPUs of an offer of the caller's own.
#[derive(Clone, Copy, Debug)]
pub struct CustomGpu<'a> {
    /// The model.
    pub name: &'a str,
    /// How many.
    pub count: u32,
    /// Memory of each in GiB, if known.
    pub memory_gb: Option<f64>,
    /// The maker, if known.
    pub vendor: Option<&'a str>,
}

/// The assessments of a list of offers.
#[derive(Debug)]
pub struct Assessments {
    /// One for each offer, in the order of the list.
    pub assessments: Vec<Assessment>,
    /// How far the backends that were asked about could be read.
    pub backends: Vec<OfferedBackend>,
}

impl Oracle {
    /// Assesses offers of the caller's own, `count` of each, of backends that the caller `sees`.
    pub fn assess_custom<'a>(
        &self,
        offers: impl IntoIterator<Item = CustomOffer<'a>>,
        count: u32,
        sees: impl Fn(&BackendName) -> bool,
    ) -> Assessments {
        let oracle = &*self.0;
        let seen = oracle.backends.values();
        let seen = seen.filter(|backend| sees(&backend.backend.name));
        let mut batches: Vec<(Option<BackendBatch<'_, 'a>>, _)> =
            seen.map(|backend| (None, backend)).collect();
        let names: Vec<&str> = batches
            .iter()
            .map(|(_, backend)| backend.backend.name.as_str())
            .collect();

        let assessments = offers
            .into_iter()
            .map(|offer| {
                let Ok(place) = names.binary_search(&offer.backend) else {
                    let reason = format!("there is no backend `{}`", offer.backend);
                    return Assessment::unknown(reason, None);
                };
                let (batch, backend) = &mut batches[place];
                batch
                    .get_or_insert_with(|| BackendBatch::new(oracle, backend, count.max(1)))
                    .assess(&offer)
            })
            .collect();

        let now = oracle.clock.now();
        let mut backends = Vec::new();
        for batch in batches.into_iter().filter_map(|(batch, _)| batch) {
            for region in batch.regions.values().flatten() {
                request_in_background(batch.backend, &region.verdicts, now);
            }
            let draws = batch
                .regions
                .values()
                .flatten()
                .flat_map(AskedRegion::draws);
            let keys: BTreeSet<&QuotaKey> = draws.map(|draw| &draw.quota).collect();
            batch.backend.series.mark_used(keys, now);
            let name = &batch.backend.backend.name;
            batch.counts.record(&oracle.metrics, name);
            backends.push(OfferedBackend {
                name: name.clone(),
                catalog: batch.provider,
                judged: batch.catalog,
            });
        }
        Assessments {
            assessments,
            backends,
        }
    }
}

/// The offers of one backend in a list, and what was found out for them so far.
struct BackendBatch<'a, 'o> {
    backend: &'a BackendState,
    catalog: Arc<JudgedCatalog>,
    provider: Arc<Provider>,
    explained: &'a ExplainedVerdicts,
    count: u32,
    counts: VerdictCounts,
    /// The regions that were asked about, as far as they are the backend's.
    regions: HashMap<&'o str, Option<AskedRegion>>,
}

/// A region that was asked about, and the demands of the list there.
struct AskedRegion {
    verdicts: Arc<RegionVerdicts>,
    of_catalog: BTreeSet<u32>,
    of_others: HashSet<Demand>,
}

impl AskedRegion {
    fn draws(&self) -> impl Iterator<Item = &Draw> {
        let demands = self.verdicts.demands();
        let of_catalog = self.of_catalog.iter().map(|number| demands.get(*number));
        let all = of_catalog.chain(&self.of_others);
        all.flat_map(|demand| &demand.draws)
    }
}

impl<'a, 'o> BackendBatch<'a, 'o> {
    fn new(oracle: &'a OracleState, backend: &'a BackendState, count: u32) -> Self {
        let (catalog, provider) = judged_catalog(oracle, backend);
        Self {
            backend,
            catalog,
            provider,
            explained: &oracle.explained,
            count,
            counts: VerdictCounts::default(),
            regions: HashMap::new(),
        }
    }

    fn assess(&mut self, offer: &CustomOffer<'o>) -> Assessment {
        let (catalog, backend, count) = (&self.catalog, self.backend, self.count);
        let known = self.explained;
        let region = self.regions.entry(offer.region).or_insert_with(|| {
            Some(AskedRegion {
                verdicts: catalog.region(offer.region)?,
                of_catalog: BTreeSet::new(),
                of_others: HashSet::new(),
            })
        });
        let assessment = match region {
            Some(region) => assess((backend, catalog), known, count, region, offer),
            None => {
                let reason = format!("{} has no region `{}`", offer.backend, offer.region);
                Assessment::unknown(reason, Some(catalog.policy))
            }
        };
        let outcome = assessment.verdict().outcome;
        self.counts.add(outcome, assessment.decision);
        assessment
    }
}

fn assess(
    (backend, catalog): (&BackendState, &JudgedCatalog),
    known: &ExplainedVerdicts,
    count: u32,
    region: &mut AskedRegion,
    offer: &CustomOffer<'_>,
) -> Assessment {
    let verdicts = &region.verdicts;
    let table = catalog.table();
    // A type is mostly the same everywhere, which spares looking for it in the region; one of
    // several shapes is known by its GPUs, if the caller names them.
    let by_gpu = || {
        let gpu = offer.gpu?;
        table.shape_for(offer.instance_type, Some(gpu.name), gpu.count)
    };
    let listed = table
        .only_shape(offer.instance_type)
        .or_else(by_gpu)
        .or_else(|| {
            // Where the catalog has only the other market's row of the region, its resources are
            // the same.
            let other = match offer.market {
                Market::OnDemand => Market::Spot,
                Market::Spot => Market::OnDemand,
            };
            let row = [offer.market, other]
                .into_iter()
                .find_map(|market| table.find(offer.region, offer.instance_type, market))?;
            Some(row.shape_index)
        });
    // Capacity and restrictions name types as the catalog does, and a caller in any case.
    let (name, explained) = match listed {
        Some(shape) if is_as_listed(offer, &table.shapes()[shape]) => {
            let number = verdicts.demands().number(shape, offer.market);
            region.of_catalog.insert(number);
            let name = Arc::clone(&table.shapes()[shape].instance_type);
            (name, known.of_catalog(verdicts, number, count))
        }
        _ => {
            let shape = match listed {
                Some(shape) => Some(table.shapes()[shape].clone()),
                // It is the same in another region.
                None => table.type_by_name(offer.instance_type),
            };
            let instance = instance(offer, shape.as_ref());
            let demand = demand(backend, verdicts.name.as_str(), &instance, offer.market);
            let explained = known.of_custom(verdicts, &demand, count);
            region.of_others.insert(demand);
            (instance.instance_type, explained)
        }
    };
    Assessment::new(catalog.policy, verdicts, explained, &name, offer.market)
}

/// Returns what launching the instance draws on in a region, as it is known now.
fn demand(backend: &BackendState, region: &str, instance: &Instance, market: Market) -> Demand {
    let source = &backend.backend.source;
    let rows = match source.demand_scope() {
        DemandScope::Snapshot => backend.unit_of(region).and_then(|unit| {
            let view = view(unit, region);
            view.region_rows().cloned()
        }),
        DemandScope::Settings(_) | DemandScope::Backend { .. } => None,
    };
    source.demand(
        instance,
        market,
        rows.as_deref().unwrap_or(&Snapshot::EMPTY),
    )
}

/// Whether the caller says nothing of an offer that the catalog does not.
fn is_as_listed(asked: &CustomOffer<'_>, shape: &Shape) -> bool {
    let same_gpu = |asked: CustomGpu<'_>| {
        shape.gpu.as_ref().is_some_and(|gpu| {
            gpu.name.eq_ignore_ascii_case(asked.name)
                && gpu.count == asked.count
                && (asked.memory_gb.is_none() || asked.memory_gb == gpu.memory_gb)
                && (asked.vendor.is_none() || asked.vendor == gpu.vendor.as_deref())
        })
    };
    asked.disk_gb.is_none()
        && !asked.public_ip
        && (asked.cpus.is_none() || asked.cpus == shape.cpus)
        && (asked.memory_gb.is_none() || asked.memory_gb == shape.memory_gb)
        && asked.gpu.is_none_or(same_gpu)
}

/// Returns the instance of an offer: as the caller says, and the catalog where the caller does not.
fn instance(asked: &CustomOffer<'_>, known: Option<&Shape>) -> Instance {
    let known_gpu = known.and_then(|shape| shape.gpu.as_ref());
    let gpu = asked.gpu.map(|gpu| {
        let same = known_gpu.filter(|known| known.name.eq_ignore_ascii_case(gpu.name));
        Gpu {
            name: gpu.name.into(),
            count: gpu.count,
            memory_gb: gpu.memory_gb.or(same.and_then(|known| known.memory_gb)),
            vendor: match gpu.vendor {
                Some(vendor) => Some(vendor.into()),
                None => same.and_then(|known| known.vendor.clone()),
            },
        }
    });
    Instance {
        instance_type: match known {
            Some(shape) => Arc::clone(&shape.instance_type),
            None => asked.instance_type.into(),
        },
        cpus: asked.cpus.or(known.and_then(|shape| shape.cpus)),
        memory_gb: asked.memory_gb.or(known.and_then(|shape| shape.memory_gb)),
        gpu: gpu.or_else(|| known_gpu.cloned()),
        disk_gb: asked.disk_gb,
        public_ip: asked.public_ip,
    }
}
