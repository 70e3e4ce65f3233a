//! Offers that the caller lists, judged one by one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::Provider;
use crate::model::{AskedLaunch, BackendName, Demand, Draw, Instance, Market, QuotaKey, Snapshot};
use crate::oracle::backend::BackendState;
use crate::oracle::quotas::view;
use crate::oracle::state::{Oracle, OracleState};
use crate::source::DemandScope;

use super::assessment::Assessment;
use super::custom_offer::CustomOffer;
use super::explained::ExplainedVerdicts;
use super::judged_catalog::JudgedCatalog;
use super::judging::{judged_catalog, request_in_background};
use super::page::OfferedBackend;
use super::region_verdicts::RegionVerdicts;
use super::verdict_counts::VerdictCounts;

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
        self.assess_offers(offers, count, sees, true)
    }

    /// The same; the verdicts are counted only if they are `told`.
    pub(in crate::oracle) fn assess_offers<'a>(
        &self,
        offers: impl IntoIterator<Item = CustomOffer<'a>>,
        count: u32,
        sees: impl Fn(&BackendName) -> bool,
        told: bool,
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
                    return Assessment::of_unknown_backend(offer.backend);
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
            if told {
                batch.counts.record(&oracle.metrics, name);
            }
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
    let listed = offer.listed_shape(table);
    let demand_of_other;
    // Capacity and restrictions name types as the catalog does, and a caller in any case.
    let (name, demand, explained) = match listed {
        Some(shape) if offer.is_as_listed(&table.shapes()[shape]) => {
            let number = verdicts.demands().number(shape, offer.market);
            region.of_catalog.insert(number);
            let name = Arc::clone(&table.shapes()[shape].instance_type);
            let explained = known.of_catalog(verdicts, number, count);
            (name, verdicts.demands().get(number), explained)
        }
        _ => {
            let instance = offer.instance(table, listed);
            demand_of_other = demand(backend, verdicts.name.as_str(), &instance, offer.market);
            let explained = known.of_custom(verdicts, &demand_of_other, count);
            region.of_others.insert(demand_of_other.clone());
            (instance.instance_type, &demand_of_other, explained)
        }
    };
    let launch = AskedLaunch {
        instance_type: &name,
        market: offer.market,
        demand,
        count,
    };
    Assessment::new(catalog.policy, verdicts, explained, launch)
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
