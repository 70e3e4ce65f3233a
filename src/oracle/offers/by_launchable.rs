//! Offers of several backends, those that fit most often first.
//!
//! All offers of a cell fit equally often, so the ranks that a page can reach are found from the
//! cells alone. A rank that few offers have is collected and sorted; one that many have, such as
//! "unknown", is merged in the order of price as far as the page goes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::by_price::{ByPrice, price_bits};
use super::candidates::{Candidates, Rank, rank};
use super::cursor::{Cursor, price_key};
use super::layout::{CellId, Matches};
use super::page::PageRow;

/// Collecting and sorting so many offers takes about a millisecond; merging by price looks at every
/// row of every backend until the page is full, which pays only where most rows have the rank.
const MOST_COLLECTED: usize = 20_000;

/// The cells of one rank, by backend.
#[derive(Default)]
struct RankCells {
    /// How many offers there are at most: some may be left out by their type.
    offers: usize,
    /// How many there are at least after the cursor.
    certain: usize,
    cells: Vec<(u32, CellId)>,
}

/// Returns at most `limit` offers after the cursor, and whether there are more.
pub(super) fn page(
    all: &[Candidates<'_>],
    after: Option<&Cursor>,
    limit: usize,
) -> (Vec<PageRow>, bool) {
    let last_rank = after.map(|cursor| rank(cursor.launchable()));
    let ranks = ranks_within_reach(all, last_rank, limit);
    let mut rows_by_cell: BTreeMap<*const Matches, RowsByCell> = BTreeMap::new();
    let mut page = Vec::new();
    for (Reverse(rank), found) in ranks {
        // The cursor is a place within its own rank; all lower ones come after it.
        let after = after.filter(|_| last_rank == Some(rank));
        let left = limit - page.len();
        if found.offers > MOST_COLLECTED && left < found.offers {
            let mut merged = ByPrice::new(all, after, Some(rank));
            page.extend(merged.by_ref().take(left));
            if merged.next().is_some() {
                return (page, true);
            }
            continue;
        }
        let rows = collect(all, after, &found, &mut rows_by_cell);
        if rows.len() > left {
            page.extend(rows.into_iter().take(left));
            return (page, true);
        }
        page.extend(rows);
    }
    (page, false)
}

/// Returns the highest ranks that together have more than `limit` offers, or all of them.
fn ranks_within_reach(
    all: &[Candidates<'_>],
    last_rank: Option<Rank>,
    limit: usize,
) -> BTreeMap<Reverse<Rank>, RankCells> {
    let mut ranks: BTreeMap<Reverse<Rank>, RankCells> = BTreeMap::new();
    let mut certain = 0;
    for (backend, candidates) in (0..).zip(all) {
        for (cell, offers) in candidates.matches.used_cells() {
            let rank = candidates.rank(cell);
            let is_passed = last_rank.is_some_and(|last| rank > last);
            if is_passed || candidates.excludes_cell(cell) {
                continue;
            }
            let lowest = ranks.last_key_value().map(|(Reverse(lowest), _)| *lowest);
            if certain > limit && lowest.is_some_and(|lowest| rank < lowest) {
                continue;
            }
            let found = ranks.entry(Reverse(rank)).or_default();
            found.offers += offers as usize;
            found.cells.push((backend, cell));
            // Of the cursor's own rank nobody knows yet how many come after it.
            if last_rank != Some(rank) && candidates.includes_cell(cell) {
                found.certain += offers as usize;
                certain += offers as usize;
            }
            while let Some(lowest) = ranks.last_entry() {
                let without = certain - lowest.get().certain;
                if without <= limit {
                    break;
                }
                lowest.remove();
                certain = without;
            }
        }
    }
    ranks
}

/// Returns the offers of one rank after the cursor, cheapest first.
fn collect(
    all: &[Candidates<'_>],
    after: Option<&Cursor>,
    found: &RankCells,
    rows_by_cell: &mut BTreeMap<*const Matches, RowsByCell>,
) -> Vec<PageRow> {
    let mut rows = Vec::with_capacity(found.offers);
    for &(backend, cell) in &found.cells {
        let candidates = &all[backend as usize];
        let matches = &candidates.matches;
        let by_cell = rows_by_cell
            .entry(Arc::as_ptr(matches))
            .or_insert_with(|| RowsByCell::new(matches));
        for &row in by_cell.rows(cell) {
            if !candidates.includes(row, cell) {
                continue;
            }
            let offer = candidates.offer(row);
            let name = candidates.name().as_str();
            let is_passed = |cursor: &Cursor| cursor.has_passed(cursor.launchable(), name, &offer);
            if !after.is_some_and(is_passed) {
                rows.push((price_bits(price_key(offer.price)), backend, row));
            }
        }
    }
    rows.sort_unstable();
    let rows = rows.into_iter();
    rows.map(|(_, backend, row)| PageRow { backend, row })
        .collect()
}

/// The matching rows of each cell, in the order of price.
struct RowsByCell {
    first: Vec<u32>,
    rows: Vec<u32>,
}

impl RowsByCell {
    fn new(matches: &Matches) -> Self {
        let mut first = Vec::with_capacity(matches.counts.len() + 1);
        let mut next = 0;
        for count in &matches.counts {
            first.push(next);
            next += count;
        }
        first.push(next);
        let mut filled = first.clone();
        let mut rows = vec![0; matches.rows.len()];
        for (row, cell) in matches.rows.iter().zip(&matches.cells) {
            let place = &mut filled[*cell as usize];
            rows[*place as usize] = *row;
            *place += 1;
        }
        Self { first, rows }
    }

    fn rows(&self, cell: CellId) -> &[u32] {
        let cell = cell as usize;
        &self.rows[self.first[cell] as usize..self.first[cell + 1] as usize]
    }
}
