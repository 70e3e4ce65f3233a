//! The answer to a question about offers.

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::{Offer, Provider, RowId};
use crate::model::{AskedLaunch, BackendName, Failure, Region};
use crate::oracle::backend_status::Status;

use super::assessment::Assessment;
use super::cursor::Cursor;
use super::explained::ExplainedVerdicts;
use super::judged_catalog::JudgedCatalog;
use super::unmatched_filters::UnmatchedFilter;

/// The offers that were asked for, each judged.
///
/// There may be millions, so a row is small, and a verdict is explained when it is looked at.
#[derive(Debug)]
pub struct OfferPage {
    pub(super) rows: Vec<PageRow>,
    pub(super) count: u32,
    pub(super) explained: ExplainedVerdicts,
    /// How many there are in all, on this page and on others.
    pub total: usize,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
    /// How far the backends could be read.
    pub backends: Vec<OfferedBackend>,
    /// Filter values that match nothing at all.
    pub unknown: Vec<UnmatchedFilter>,
}

/// An offer on a page: its backend among those of the page, and its row in the backend's catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageRow {
    pub(super) backend: u32,
    pub(super) row: RowId,
}

/// An offer with its assessment.
#[derive(Clone, Debug)]
pub struct EvaluatedOffer<'a> {
    /// The backend.
    pub backend: &'a BackendName,
    /// The offer.
    pub offer: Offer<'a>,
    /// The assessment.
    pub assessment: Assessment,
}

/// A backend and how far its offers could be judged.
#[derive(Clone, Debug)]
pub struct OfferedBackend {
    /// Its name.
    pub name: BackendName,
    /// Where its offers come from.
    pub catalog: Arc<Provider>,
    pub(super) judged: Arc<JudgedCatalog>,
}

impl OfferPage {
    /// Returns how many offers are on this page.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the offers, in order.
    pub fn offers(&self) -> impl Iterator<Item = EvaluatedOffer<'_>> {
        self.some_offers(0..self.len())
    }

    /// Returns those at these places, which must be on the page.
    pub fn some_offers(&self, places: Range<usize>) -> impl Iterator<Item = EvaluatedOffer<'_>> {
        self.rows[places].iter().filter_map(|row| self.offer(*row))
    }

    fn offer(&self, PageRow { backend, row }: PageRow) -> Option<EvaluatedOffer<'_>> {
        let offered = &self.backends[backend as usize];
        offered.evaluate(row, self.count, &self.explained)
    }
}

impl OfferedBackend {
    /// Assesses the launch of `count` instances of a row, if the backend has its region.
    pub(super) fn evaluate(
        &self,
        row: RowId,
        count: u32,
        explained: &ExplainedVerdicts,
    ) -> Option<EvaluatedOffer<'_>> {
        let judged = &*self.judged;
        let offer = judged.table().offer(row);
        let region = judged.region_at(offer.region_index)?;
        let demand = region.demands().number(offer.shape_index, offer.market);
        let explained = explained.of_catalog(region, demand, count);
        let launch = AskedLaunch {
            instance_type: &offer.shape.instance_type,
            market: offer.market,
            demand: region.demands().get(demand),
            count,
        };
        let assessment = Assessment::new(judged.policy, region, explained, launch);
        Some(EvaluatedOffer {
            backend: &self.name,
            offer,
            assessment,
        })
    }

    /// Returns how far it can be read.
    pub fn status(&self) -> Status {
        self.judged.status
    }

    /// Returns the regions that no verdict can rest on.
    pub fn regions_unknown(&self) -> &[Region] {
        &self.judged.regions_unknown
    }

    /// Returns the regions that the backend reads and the catalog has no offers of.
    pub fn regions_without_offers(&self) -> impl Iterator<Item = &Region> {
        self.judged.regions_without_offers()
    }

    /// Returns why they are not known, if a read has failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.judged.failure.as_ref()
    }
}
