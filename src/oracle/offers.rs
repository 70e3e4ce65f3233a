//! Questions about offers: which launches would fit, answered from memory alone.
//!
//! Nothing here waits for a cloud. What a backend's catalog and quotas say together is worked out
//! once and kept ([`judged_catalog`]); a request adds its filter, its count and its order. A backend that
//! cannot be read keeps its offers, with verdicts that say why they are unknown.

mod assessment;
mod cursor;
mod custom_offers;
mod demands;
mod judged_catalog;
mod region_verdicts;
mod unmatched_filters;
mod verdict_counts;

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::{Filter, Offer, Provider, RowId};
use crate::model::{Availability, BackendName, Failure, Freshness, Moment, Region, decide};
use crate::source::Priority;
use crate::telemetry::Cause;

use super::backend::BackendState;
use super::{Inner, Oracle, Status};

pub use assessment::{Assessment, BindingQuota};
pub use cursor::{Cursor, Sort};
pub use custom_offers::{Assessments, CustomGpu, CustomOffer};
pub use unmatched_filters::UnmatchedFilter;

use cursor::price_key;
use judged_catalog::BackendView;
pub(super) use judged_catalog::KeptView;
use region_verdicts::{ExplainedVerdict, RegionVerdicts, Verdicts};
use verdict_counts::VerdictCounts;

/// Which offers are asked for, how many of each are to be launched, and in which order.
#[derive(Clone, Debug, Default)]
pub struct OfferQuestion {
    /// Of one of these backends; of any if absent.
    pub backends: Option<Vec<String>>,
    /// What they are like.
    pub filter: Filter,
    /// How many instances are launched together, at least one.
    pub count: u32,
    /// What is said of them; anything if absent.
    pub availability: Option<Vec<Availability>>,
    /// The order.
    pub sort: Sort,
    /// How many at most; all if absent.
    pub limit: Option<usize>,
    /// After this place; from the first one if absent.
    pub after: Option<Cursor>,
}

/// The offers that were asked for, each judged.
#[derive(Debug)]
pub struct OfferPage {
    views: Vec<(BackendName, Arc<BackendView>)>,
    rows: Vec<(usize, RowId, Assessment)>,
    /// How many there are in all, on this page and on others.
    pub total: usize,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
    /// How far the backends could be read.
    pub backends: Vec<OfferedBackend>,
    /// What is asked for and is not there at all.
    pub unknown: Vec<UnmatchedFilter>,
}

/// An offer and what is said of it.
#[derive(Clone, Copy, Debug)]
pub struct EvaluatedOffer<'a> {
    /// Whose it is.
    pub backend: &'a BackendName,
    /// What can be rented.
    pub offer: Offer<'a>,
    /// What is said of it.
    pub assessment: &'a Assessment,
}

/// How far a backend's offers could be judged.
#[derive(Clone, Debug)]
pub struct OfferedBackend {
    /// Its name.
    pub name: BackendName,
    /// Where its offers come from.
    pub catalog: Arc<Provider>,
    view: Arc<BackendView>,
}

impl OfferPage {
    /// How many offers are on this page.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The offers, in order.
    pub fn offers(&self) -> impl Iterator<Item = EvaluatedOffer<'_>> {
        self.some_offers(0..self.len())
    }

    /// Those at these places, which must be on the page.
    pub fn some_offers(&self, places: Range<usize>) -> impl Iterator<Item = EvaluatedOffer<'_>> {
        self.rows[places].iter().map(|(place, row, assessment)| {
            let (backend, view) = &self.views[*place];
            EvaluatedOffer {
                backend,
                offer: view.table().offer(*row),
                assessment,
            }
        })
    }
}

impl OfferedBackend {
    /// How far it can be read.
    pub fn status(&self) -> Status {
        self.view.status
    }

    /// The regions that no verdict can rest on.
    pub fn regions_unknown(&self) -> &[Region] {
        &self.view.regions_unknown
    }

    /// Why they are not known, if a read has failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.view.failure.as_ref()
    }
}

impl Oracle {
    /// The offers that are asked for, of those backends that the caller `sees`.
    pub fn offers(
        &self,
        question: &OfferQuestion,
        sees: impl Fn(&BackendName) -> bool,
    ) -> OfferPage {
        let oracle = &*self.0;
        let wanted = |name: &BackendName| match &question.backends {
            None => true,
            Some(names) => names.iter().any(|wanted| wanted == name.as_str()),
        };
        let seen = oracle.backends.values();
        let seen: Vec<&Arc<BackendState>> = seen.filter(|c| sees(&c.backend.name)).collect();
        let asked = seen.iter().filter(|c| wanted(&c.backend.name));
        let mut judges: Vec<Evaluator<'_>> = asked
            .map(|connected| Evaluator::new(oracle, connected, question.count.max(1)))
            .collect();

        // Each backend's offers are in the order of price already, so that sorting merges them.
        let mut found = Vec::new();
        for (place, judge) in (0..).zip(&mut judges) {
            judge.find(place, question, &mut found);
            judge.request_in_background();
        }
        if judges.len() > 1 || question.sort != Sort::Price {
            let numbers = |found: &Found| {
                let offer = judges[found.place as usize].view.table().offer(found.row);
                (found.launchable, price_key(offer.price))
            };
            found.sort_by(|a, b| question.sort.compare(numbers(a), numbers(b)));
        }
        let total = found.len();
        let rest = match &question.after {
            None => &found[..],
            Some(cursor) => {
                let passed = found.partition_point(|found| {
                    let judge = &judges[found.place as usize];
                    let offer = judge.view.table().offer(found.row);
                    cursor.has_passed(found.launchable, judge.name().as_str(), &offer)
                });
                &found[passed..]
            }
        };
        let taken = question.limit.unwrap_or(usize::MAX).min(rest.len());

        let mut tallies: Vec<VerdictCounts> =
            judges.iter().map(|_| VerdictCounts::default()).collect();
        let rows = rest[..taken]
            .iter()
            .filter_map(|found| {
                let place = found.place as usize;
                let assessment = judges[place].assessment(found.row)?;
                tallies[place].add(&assessment);
                Some((place, found.row, assessment))
            })
            .collect();
        for (judge, tally) in judges.iter().zip(&tallies) {
            tally.count(&oracle.metrics, judge.name());
        }
        let mut page = OfferPage {
            views: judges
                .iter()
                .map(|judge| (judge.name().clone(), Arc::clone(&judge.view)))
                .collect(),
            rows,
            total,
            next: None,
            backends: judges.iter().map(Evaluator::backend).collect(),
            unknown: {
                let seen: Vec<&str> = seen.iter().map(|c| c.backend.name.as_str()).collect();
                unmatched_filters::unmatched_filters(question, &judges, &seen)
            },
        };
        if taken < rest.len() {
            let last = page.offers().last();
            page.next = last.map(|last| Cursor::at(&last, question.sort));
        }
        page
    }
}

/// An offer that was found. There may be hundreds of thousands, so each is small.
struct Found {
    /// Whose it is, by the place among the backends that are asked.
    place: u32,
    row: RowId,
    /// How many would fit, if that decides the order.
    launchable: Option<u64>,
}

/// Judges a backend's offers for one request.
struct Evaluator<'a> {
    oracle: &'a Inner,
    connected: &'a BackendState,
    view: Arc<BackendView>,
    catalog: Arc<Provider>,
    count: u32,
    /// The regions that the request is about, by their place in the catalog.
    asked: Vec<bool>,
    /// The verdicts that the regions keep for this count, by their place in the catalog.
    verdicts: Vec<Option<Arc<Verdicts>>>,
}

impl<'a> Evaluator<'a> {
    fn new(oracle: &'a Inner, connected: &'a BackendState, count: u32) -> Self {
        let (view, catalog) = oracle.offers_of(connected);
        Self {
            oracle,
            connected,
            asked: vec![false; view.table().regions().len()],
            verdicts: vec![None; view.table().regions().len()],
            view,
            catalog,
            count,
        }
    }

    fn name(&self) -> &'a BackendName {
        &self.connected.backend.name
    }

    fn backend(&self) -> OfferedBackend {
        OfferedBackend {
            name: self.name().clone(),
            catalog: Arc::clone(&self.catalog),
            view: Arc::clone(&self.view),
        }
    }

    /// Adds the offers that are asked for, the cheapest first.
    fn find(&mut self, place: u32, question: &OfferQuestion, found: &mut Vec<Found>) {
        let view = Arc::clone(&self.view);
        // Verdicts are looked at here only if they decide what is found, or where it stands.
        let by_verdict = question.availability.is_some() || question.sort == Sort::Launchable;
        for row in view.table().query(&question.filter) {
            let offer = view.table().offer(row);
            let Some(region) = view.region_at(offer.region_index) else {
                continue;
            };
            self.asked[offer.region_index] = true;
            let mut launchable = None;
            if by_verdict {
                let verdict = &self.judged(&offer, region).verdict;
                if let Some(wanted) = &question.availability {
                    let decision = decide(verdict.outcome, view.strictness, view.shadow, false);
                    if !wanted.contains(&decision.availability) {
                        continue;
                    }
                }
                launchable = verdict.launchable;
            }
            found.push(Found {
                place,
                row,
                launchable,
            });
        }
    }

    fn assessment(&mut self, row: RowId) -> Option<Assessment> {
        let view = Arc::clone(&self.view);
        let offer = view.table().offer(row);
        let region = view.region_at(offer.region_index)?;
        let judged = Arc::clone(self.judged(&offer, region));
        let capacity = region.capacity(&offer.shape.instance_type, offer.market);
        Some(Assessment::new(&view, region, judged, capacity))
    }

    fn judged(&mut self, offer: &Offer<'_>, region: &RegionVerdicts) -> &Arc<ExplainedVerdict> {
        let demand = self.view.demands.number(offer.shape_index, offer.market);
        let verdicts =
            self.verdicts[offer.region_index].get_or_insert_with(|| region.verdicts(self.count));
        region.of_catalog(verdicts, demand)
    }

    fn request_in_background(&self) {
        let now = self.oracle.clock.now();
        let asked = self.asked.iter().enumerate().filter(|(_, asked)| **asked);
        for region in asked.filter_map(|(place, _)| self.view.region_at(place)) {
            self.oracle
                .request_in_background(self.connected, region, now);
        }
    }
}

impl Inner {
    /// Notes that somebody asks about a region, and has it read if it is due, without waiting.
    fn request_in_background(
        &self,
        connected: &BackendState,
        region: &RegionVerdicts,
        now: Moment,
    ) {
        let Some(unit) = connected.unit_of(region.name.as_str(), &self.cache) else {
            return;
        };
        unit.mark_requested(now);
        if region.freshness == Some(Freshness::Fresh) {
            return;
        }
        let entry = self.cache.get(&unit.key);
        let entry = entry.as_deref();
        if entry.is_some_and(|entry| entry.good.is_some()) {
            self.refresh_in_background(connected, unit, entry);
        } else if !self.backs_off(entry) {
            self.read(connected, unit, Cause::Request, Priority::Background);
        }
    }
}
