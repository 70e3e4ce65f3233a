//! The launches that are left of each GPU in each region.

use std::collections::{BTreeSet, HashMap};

use crate::model::{Availability, BackendName, QuotaKey, Region};
use crate::oracle::state::Oracle;

use super::candidates::Candidates;
use super::page::OfferedBackend;
use super::question::OfferQuestion;
use super::unmatched_filters::{UnmatchedFilter, unmatched_filters};

/// The launches that are left, by backend, region and GPU.
#[derive(Debug)]
pub struct OfferSummary {
    /// The regions and GPUs that have offers, in the order of the backends and of these names.
    pub cells: Vec<SummaryCell>,
    /// The GPU models of the offers that draw on a quota, for each backend and quota that any does.
    pub gpus_of_quotas: Vec<(BackendName, QuotaKey, BTreeSet<String>)>,
    /// How far the backends could be read.
    pub backends: Vec<OfferedBackend>,
    /// Filter values that match nothing at all.
    pub unknown: Vec<UnmatchedFilter>,
}

/// The offers of one GPU model in one region of a backend.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryCell {
    /// The backend.
    pub backend: BackendName,
    /// The region.
    pub region: Region,
    /// The GPU model.
    pub gpu: String,
    /// How many offers there are.
    pub offers: usize,
    /// How many of them are told to be available.
    pub available: usize,
    /// The best availability of any of them.
    pub availability: Availability,
    /// The most launches that one of them leaves; nothing where no verdict is known.
    pub launchable: Option<u64>,
    /// The most GPUs that launches of one of them have.
    pub gpus: Option<u64>,
    /// The lowest price of one GPU among those that are available, in US dollars per hour.
    pub price_per_gpu: Option<f64>,
}

impl Oracle {
    /// Returns the launches that are left of the GPUs that are asked for, of those backends that
    /// the caller `sees`; order, limit and cursor of the question do not count.
    pub fn summary(
        &self,
        question: &OfferQuestion,
        sees: impl Fn(&BackendName) -> bool,
    ) -> OfferSummary {
        let oracle = &*self.0;
        let backends = oracle.backends.values();
        let seen: Vec<_> = backends.filter(|b| sees(&b.backend.name)).collect();
        let asked = seen.iter().filter(|b| question.is_about(&b.backend.name));
        let all = oracle.candidates(asked.copied(), question);
        let catalogs: Vec<_> = all.iter().map(|candidates| &*candidates.catalog).collect();
        let names: Vec<&str> = seen.iter().map(|b| b.backend.name.as_str()).collect();
        OfferSummary {
            cells: all
                .iter()
                .flat_map(|candidates| cells(candidates, question.count.max(1)))
                .collect(),
            gpus_of_quotas: all
                .iter()
                .flat_map(|candidates| {
                    let of_quotas = candidates.catalog.gpus_of_quotas().into_iter();
                    of_quotas.map(|(quota, gpus)| (candidates.name().clone(), quota, gpus))
                })
                .collect(),
            backends: all.iter().map(Candidates::offered).collect(),
            unknown: unmatched_filters(question, &catalogs, &names),
        }
    }
}

/// Returns the cells of one backend.
fn cells(candidates: &Candidates<'_>, count: u32) -> Vec<SummaryCell> {
    let mut by_place: HashMap<(usize, &str), SummaryCell> = HashMap::new();
    for place in 0..candidates.matches.rows.len() {
        let Some(row) = candidates.row_at(place) else {
            continue;
        };
        let offer = candidates.offer(row);
        let Some(gpu) = &offer.shape.gpu else {
            continue;
        };
        let decided = candidates.decide(row, count);
        let (Some(outlook), Some((_, decision))) = (candidates.outlook(row), decided) else {
            continue;
        };
        let cell = by_place
            .entry((offer.region_index, &*gpu.name))
            .or_insert_with(|| SummaryCell {
                backend: candidates.name().clone(),
                region: offer.region.clone(),
                gpu: gpu.name.to_string(),
                offers: 0,
                available: 0,
                availability: decision.availability,
                launchable: None,
                gpus: None,
                price_per_gpu: None,
            });
        cell.offers += 1;
        let best = [cell.availability, decision.availability];
        cell.availability = best[usize::from(place_of(best[1]) < place_of(best[0]))];
        // Launches that the cloud prevents are none, whatever the quotas leave.
        let launchable = match decision.availability {
            Availability::NotAvailable => Some(0),
            _ => outlook.launchable(count),
        };
        cell.launchable = cell.launchable.max(launchable);
        let gpus = launchable.map(|launches| launches.saturating_mul(gpu.count.into()));
        cell.gpus = cell.gpus.max(gpus);
        if decision.availability == Availability::Available {
            cell.available += 1;
            let price = offer.price.map(|price| price / f64::from(gpu.count.max(1)));
            let prices = [cell.price_per_gpu, price].into_iter().flatten();
            cell.price_per_gpu = prices.min_by(f64::total_cmp);
        }
    }
    let mut cells: Vec<_> = by_place.into_values().collect();
    cells.sort_unstable_by(|a, b| (&a.region, &a.gpu).cmp(&(&b.region, &b.gpu)));
    cells
}

/// Returns the place of an availability, the best first.
fn place_of(availability: Availability) -> u8 {
    match availability {
        Availability::Available => 0,
        Availability::Unknown => 1,
        Availability::NoQuota => 2,
        Availability::NotAvailable => 3,
    }
}
