//! The offers of one backend that a question may be answered with.

use std::sync::Arc;

use crate::catalog::{Offer, Provider, RowId};
use crate::model::{
    AskedLaunch, Availability, BackendName, Decision, Outcome, Outlook, QuotaKey, decide,
};
use crate::oracle::backend::BackendState;

use super::judged_catalog::JudgedCatalog;
use super::layout::{CellId, Matches};
use super::page::OfferedBackend;
use super::question::OfferQuestion;

/// A backend's part of a search.
pub(super) struct Candidates<'a> {
    pub(super) backend: &'a BackendState,
    pub(super) catalog: Arc<JudgedCatalog>,
    pub(super) provider: Arc<Provider>,
    /// The rows that the filter matches; backends of one layout share them.
    pub(super) matches: Arc<Matches>,
    /// The fate of each cell, where verdicts decide what is found or where it stands.
    fates: Option<Vec<Fate>>,
    availability: Option<&'a [Availability]>,
    count: u32,
}

/// The fate of the offers of a cell by their verdict.
#[derive(Clone, Copy, Debug)]
struct Fate {
    inclusion: Inclusion,
    rank: Rank,
}

/// How many instances fit, in ascending order; unknown comes first.
pub(super) type Rank = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inclusion {
    Excluded,
    Included,
    /// It depends on the type, since the cloud restricts some types of the region.
    ByType,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(
        backend: &'a BackendState,
        (catalog, provider): (Arc<JudgedCatalog>, Arc<Provider>),
        matches: Arc<Matches>,
        question: &'a OfferQuestion,
    ) -> Self {
        let mut candidates = Self {
            backend,
            catalog,
            provider,
            matches,
            fates: None,
            availability: question.availability.as_deref(),
            count: question.count.max(1),
        };
        if question.needs_verdicts() {
            candidates.fates = Some(candidates.fates());
        }
        candidates
    }

    pub(super) fn name(&self) -> &'a BackendName {
        &self.backend.backend.name
    }

    /// Returns how many offers there are.
    pub(super) fn total(&self) -> usize {
        let Some(fates) = &self.fates else {
            return self.matches.rows.len();
        };
        let mut total = 0;
        let mut some_by_type = false;
        for (cell, count) in self.matches.used_cells() {
            match fates[cell as usize].inclusion {
                Inclusion::Included => total += count as usize,
                Inclusion::ByType => some_by_type = true,
                Inclusion::Excluded => {}
            }
        }
        if some_by_type {
            let rows = self.matches.rows.iter().zip(&self.matches.cells);
            let by_type = rows.filter(|(row, cell)| {
                fates[**cell as usize].inclusion == Inclusion::ByType && self.is_wanted(**row)
            });
            total += by_type.count();
        }
        total
    }

    /// Returns the row at a place of the matches, if it is among the offers.
    pub(super) fn row_at(&self, place: usize) -> Option<RowId> {
        let row = self.matches.rows[place];
        self.includes(row, self.matches.cells[place]).then_some(row)
    }

    /// Whether the row is among the offers.
    pub(super) fn includes(&self, row: RowId, cell: CellId) -> bool {
        let Some(fates) = &self.fates else {
            return true;
        };
        match fates[cell as usize].inclusion {
            Inclusion::Excluded => false,
            Inclusion::Included => true,
            Inclusion::ByType => self.is_wanted(row),
        }
    }

    /// Whether no offer of the cell is among them.
    pub(super) fn excludes_cell(&self, cell: CellId) -> bool {
        let fates = self.fates.as_ref();
        fates.is_some_and(|fates| fates[cell as usize].inclusion == Inclusion::Excluded)
    }

    /// Whether every offer of the cell is among them.
    pub(super) fn includes_cell(&self, cell: CellId) -> bool {
        let fates = self.fates.as_ref();
        fates.is_none_or(|fates| fates[cell as usize].inclusion == Inclusion::Included)
    }

    /// Returns how many instances of a cell's offers fit, if that decides the order.
    pub(super) fn rank(&self, cell: CellId) -> Rank {
        let fates = self.fates.as_ref();
        fates.map_or(0, |fates| fates[cell as usize].rank)
    }

    pub(super) fn offer(&self, row: RowId) -> Offer<'_> {
        self.catalog.table().offer(row)
    }

    fn is_wanted(&self, row: RowId) -> bool {
        let Some(wanted) = self.availability else {
            return true;
        };
        let decided = self.decide(row, self.count);
        decided.is_some_and(|(_, decision)| wanted.contains(&decision.availability))
    }

    /// Returns the outlook of launches of a row, if the backend has its region.
    pub(super) fn outlook(&self, row: RowId) -> Option<&Outlook> {
        let (region, shape, market) = self.catalog.table().place(row);
        let region = self.catalog.region_at(region)?;
        Some(region.outlook(region.demands().number(shape, market)))
    }

    /// Returns the outcome and the decision on `count` instances of a row, if the backend has its
    /// region.
    pub(super) fn decide(&self, row: RowId, count: u32) -> Option<(Outcome, Decision)> {
        let offer = self.offer(row);
        let region = self.catalog.region_at(offer.region_index)?;
        let demand = region.demands().number(offer.shape_index, offer.market);
        let outcome = region.outlook(demand).outcome(count);
        let launch = AskedLaunch {
            instance_type: &offer.shape.instance_type,
            market: offer.market,
            demand: region.demands().get(demand),
            count,
        };
        let decision = region.decide(outcome, self.catalog.policy, launch);
        Some((outcome, decision))
    }

    /// Returns the quotas that a row draws on.
    pub(super) fn quotas_of(&self, row: RowId) -> impl Iterator<Item = &QuotaKey> {
        let offer = self.offer(row);
        let region = self.catalog.region_at(offer.region_index);
        let draws = region.into_iter().flat_map(move |region| {
            let demands = region.demands();
            &demands
                .get(demands.number(offer.shape_index, offer.market))
                .draws
        });
        draws.map(|draw| &draw.quota)
    }

    /// Returns the backend as an answer tells of it.
    pub(super) fn offered(&self) -> OfferedBackend {
        OfferedBackend {
            name: self.name().clone(),
            catalog: Arc::clone(&self.provider),
            judged: Arc::clone(&self.catalog),
        }
    }

    fn fates(&self) -> Vec<Fate> {
        let catalog = &self.catalog;
        let mut fates = Vec::with_capacity(catalog.layout.cell_count());
        for place in 0..catalog.table().regions().len() {
            let Some(region) = catalog.region_at(place) else {
                continue;
            };
            let has_exceptions = region.has_exceptions();
            fates.extend(region.outlooks().iter().map(|outlook| {
                let inclusion = match self.availability {
                    None => Inclusion::Included,
                    Some(_) if has_exceptions => Inclusion::ByType,
                    Some(wanted) => {
                        let policy = catalog.policy;
                        let outcome = outlook.outcome(self.count);
                        let decision = decide(outcome, policy.strictness, policy.shadow, false);
                        match wanted.contains(&decision.availability) {
                            true => Inclusion::Included,
                            false => Inclusion::Excluded,
                        }
                    }
                };
                Fate {
                    inclusion,
                    rank: rank(outlook.launchable(self.count)),
                }
            }));
        }
        fates
    }
}

/// Returns the rank of offers of which so many instances fit.
pub(super) fn rank(launchable: Option<u64>) -> Rank {
    launchable.map_or(0, |launchable| launchable.saturating_add(1))
}

/// Returns how many instances the offers of a rank hold.
pub(super) fn launchable(rank: Rank) -> Option<u64> {
    rank.checked_sub(1)
}
