//! The places that hold a number of GPUs: nodes of one type, in one region of one backend.

use std::num::NonZeroU32;

use crate::catalog::Filter;
use crate::model::{Availability, BackendName, Decision, Placement, Standing};
use crate::oracle::state::Oracle;

use super::candidates::Candidates;
use super::explained::ExplainedVerdicts;
use super::page::{EvaluatedOffer, OfferedBackend, PageRow};
use super::question::OfferQuestion;
use super::unmatched_filters::{UnmatchedFilter, unmatched_filters};

/// A question where a number of GPUs can be launched.
#[derive(Clone, Debug)]
pub struct PlanQuestion {
    /// On one of these backends; on any if absent.
    pub backends: Option<Vec<String>>,
    /// The conditions on a node; one without GPUs holds none.
    pub filter: Filter,
    /// Only plans of these availabilities; any if absent.
    pub availability: Option<Vec<Availability>>,
    /// How many GPUs in all.
    pub gpus: NonZeroU32,
    /// How many plans at most; all if absent.
    pub limit: Option<usize>,
}

/// The plans that were asked for, the best first.
#[derive(Debug)]
pub struct PlanPage {
    rows: Vec<(PageRow, Placement)>,
    explained: ExplainedVerdicts,
    /// How many there are in all.
    pub total: usize,
    /// How far the backends could be read.
    pub backends: Vec<OfferedBackend>,
    /// Filter values that match nothing at all.
    pub unknown: Vec<UnmatchedFilter>,
}

/// One way to place the GPUs.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The nodes, and whether they fit.
    pub placement: Placement,
    /// The node, with the assessment of launching all of them.
    pub node: EvaluatedOffer<'a>,
}

impl Oracle {
    /// Returns where the GPUs fit, on those backends that the caller `sees`.
    pub fn plan(&self, question: &PlanQuestion, sees: impl Fn(&BackendName) -> bool) -> PlanPage {
        let oracle = &*self.0;
        let offers = OfferQuestion {
            backends: question.backends.clone(),
            filter: Filter {
                min_gpu_count: Some(question.filter.min_gpu_count.unwrap_or(1).max(1)),
                ..question.filter.clone()
            },
            ..OfferQuestion::default()
        };
        let backends = oracle.backends.values();
        let seen: Vec<_> = backends.filter(|b| sees(&b.backend.name)).collect();
        let asked = seen.iter().filter(|b| offers.is_about(&b.backend.name));
        let all = oracle.candidates(asked.copied(), &offers);

        let mut plans: Vec<Ranked> = Vec::new();
        for (backend, candidates) in (0..).zip(&all) {
            let rows = candidates.matches.rows.iter();
            let placed = rows.filter_map(|row| place(candidates, *row, question));
            plans.extend(placed.map(|(placement, price, row)| Ranked {
                placement,
                price,
                row: PageRow { backend, row },
            }));
        }
        let total = plans.len();
        if let Some(limit) = question.limit
            && limit < total
        {
            plans.select_nth_unstable_by(limit, Ranked::compare);
            plans.truncate(limit);
        }
        plans.sort_unstable_by(Ranked::compare);

        let catalogs: Vec<_> = all.iter().map(|candidates| &*candidates.catalog).collect();
        let names: Vec<&str> = seen.iter().map(|b| b.backend.name.as_str()).collect();
        PlanPage {
            rows: plans
                .iter()
                .map(|plan| (plan.row, plan.placement))
                .collect(),
            explained: oracle.explained.clone(),
            total,
            backends: all.iter().map(Candidates::offered).collect(),
            unknown: unmatched_filters(&offers, &catalogs, &names),
        }
    }
}

impl PlanPage {
    /// Returns the plans, in order.
    pub fn plans(&self) -> impl Iterator<Item = Plan<'_>> {
        self.rows.iter().filter_map(|(row, placement)| {
            let offered = &self.backends[row.backend as usize];
            Some(Plan {
                placement: *placement,
                node: offered.evaluate(row.row, placement.nodes, &self.explained)?,
            })
        })
    }
}

/// A plan with what its order rests on.
struct Ranked {
    placement: Placement,
    price: Option<f64>,
    row: PageRow,
}

impl Ranked {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let place = |plan: &Self| (plan.row.backend, plan.row.row);
        Placement::compare(
            (&self.placement, self.price),
            (&other.placement, other.price),
        )
        .then_with(|| place(self).cmp(&place(other)))
    }
}

/// Places the GPUs on nodes of a row, unless the question leaves the result out.
fn place(
    candidates: &Candidates<'_>,
    row: u32,
    question: &PlanQuestion,
) -> Option<(Placement, Option<f64>, u32)> {
    let offer = candidates.offer(row);
    let per_node = NonZeroU32::new(offer.shape.gpu.as_ref()?.count)?;
    let mut placement = Placement::new(question.gpus, per_node, candidates.outlook(row)?);
    let (_, decision) = candidates.decide(row, placement.nodes)?;
    if is_prevented(decision) {
        placement.standing = Standing::NotAvailable;
    }
    let wanted = question.availability.as_ref();
    let is_wanted = wanted.is_none_or(|wanted| wanted.contains(&decision.availability));
    is_wanted.then_some((placement, offer.price, row))
}

/// Whether the cloud prevents the launch; where a backend only watches, whether it would.
fn is_prevented(decision: Decision) -> bool {
    let told = [Some(decision.availability), decision.shadow];
    told.contains(&Some(Availability::NotAvailable))
}
