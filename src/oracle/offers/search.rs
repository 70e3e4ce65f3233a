//! The search for the offers that a question is about.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::RowId;
use crate::model::BackendName;
use crate::oracle::backend::BackendState;
use crate::oracle::state::{Oracle, OracleState};

use super::by_launchable;
use super::by_price::ByPrice;
use super::candidates::Candidates;
use super::cursor::{Cursor, Sort};
use super::judging::{judged_catalog, request_in_background};
use super::layout::{Layout, Matches};
use super::page::{OfferPage, PageRow};
use super::question::OfferQuestion;
use super::unmatched_filters;
use super::verdict_counts::VerdictCounts;

impl Oracle {
    /// Returns the offers that are asked for, of those backends that the caller `sees`.
    pub fn offers(
        &self,
        question: &OfferQuestion,
        sees: impl Fn(&BackendName) -> bool,
    ) -> OfferPage {
        let oracle = &*self.0;
        let backends = oracle.backends.values();
        let seen: Vec<_> = backends.filter(|b| sees(&b.backend.name)).collect();
        let asked = seen.iter().filter(|b| question.is_about(&b.backend.name));
        let all = oracle.candidates(asked.copied(), question);

        let total = all.iter().map(Candidates::total).sum();
        let limit = question.limit.unwrap_or(usize::MAX);
        let after = question.after.as_ref();
        let (rows, has_more) = match question.sort {
            Sort::Price => {
                let mut merged = ByPrice::new(&all, after, None);
                let rows: Vec<_> = merged.by_ref().take(limit).collect();
                (rows, merged.next().is_some())
            }
            Sort::Launchable => by_launchable::page(&all, after, limit),
        };
        count_verdicts(oracle, &all, &rows, question.count.max(1));

        let catalogs: Vec<_> = all.iter().map(|candidates| &*candidates.catalog).collect();
        let seen: Vec<&str> = seen.iter().map(|b| b.backend.name.as_str()).collect();
        let mut page = OfferPage {
            rows,
            count: question.count.max(1),
            explained: oracle.explained.clone(),
            total,
            next: None,
            backends: all.iter().map(Candidates::offered).collect(),
            unknown: unmatched_filters::unmatched_filters(question, &catalogs, &seen),
        };
        if has_more {
            let last = page.some_offers(page.len() - 1..page.len()).next();
            page.next = last.map(|last| {
                let launchable = last.assessment.verdict().launchable;
                Cursor::new(
                    question.sort,
                    launchable,
                    last.backend.as_str(),
                    &last.offer,
                )
            });
        }
        page
    }
}

impl OracleState {
    /// Returns what the backends have to offer, and has their regions read if they are due.
    pub(super) fn candidates<'a>(
        &'a self,
        backends: impl Iterator<Item = &'a Arc<BackendState>>,
        question: &'a OfferQuestion,
    ) -> Vec<Candidates<'a>> {
        let now = self.clock.now();
        let mut matched: Vec<(Arc<Layout>, Arc<Matches>)> = Vec::new();
        backends
            .map(|backend| {
                let (catalog, provider) = judged_catalog(self, backend);
                let layout = &catalog.layout;
                let same = matched.iter().find(|(known, _)| Arc::ptr_eq(known, layout));
                let matches = match same {
                    Some((_, matches)) => Arc::clone(matches),
                    None => {
                        let matches = Arc::new(Matches::new(layout, &question.filter));
                        matched.push((Arc::clone(layout), Arc::clone(&matches)));
                        matches
                    }
                };
                for place in matches.regions(layout) {
                    if let Some(region) = catalog.region_at(place) {
                        request_in_background(backend, region, now);
                    }
                }
                Candidates::new(backend, (catalog, provider), matches, question)
            })
            .collect()
    }
}

/// Counts the verdicts of a page.
fn count_verdicts(oracle: &OracleState, all: &[Candidates<'_>], rows: &[PageRow], count: u32) {
    let mut counts: Vec<_> = all.iter().map(|_| VerdictCounts::default()).collect();
    for PageRow { backend, row } in rows {
        let backend = *backend as usize;
        if let Some((outcome, decision)) = all[backend].decide(*row, count) {
            counts[backend].add(outcome, decision);
        }
    }
    let now = oracle.clock.now();
    for (candidates, counts) in all.iter().zip(&counts) {
        counts.record(&oracle.metrics, candidates.name());
    }
    for (candidates, cells) in all.iter().zip(used_cells(all, rows)) {
        let keys: BTreeSet<_> = cells
            .iter()
            .flat_map(|row| candidates.quotas_of(*row))
            .collect();
        candidates.backend.series.mark_used(keys, now);
    }
}

/// Returns one row of each cell that is on the page, by backend.
fn used_cells(all: &[Candidates<'_>], rows: &[PageRow]) -> Vec<Vec<RowId>> {
    let mut seen: Vec<Option<Vec<bool>>> = all.iter().map(|_| None).collect();
    let mut used: Vec<Vec<RowId>> = all.iter().map(|_| Vec::new()).collect();
    for PageRow { backend, row } in rows {
        let backend = *backend as usize;
        let layout = &all[backend].catalog.layout;
        let Some(cell) = layout.cell(&all[backend].offer(*row)) else {
            continue;
        };
        let seen = seen[backend].get_or_insert_with(|| vec![false; layout.cell_count()]);
        if !std::mem::replace(&mut seen[cell as usize], true) {
            used[backend].push(*row);
        }
    }
    used
}
