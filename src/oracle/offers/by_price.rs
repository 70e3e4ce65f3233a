//! Offers of several backends in the order of price, merged as far as they are asked for.
//!
//! Each backend's matches are in that order already. So a page costs the rows that are on it, and
//! those that a verdict leaves out before them, however many backends there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::candidates::{Candidates, Rank, launchable};
use super::cursor::{Cursor, price_key};
use super::page::PageRow;

/// Offers of several backends, cheapest first; equal ones by backend and then as in its catalog.
pub(super) struct ByPrice<'a, 'b> {
    all: &'a [Candidates<'b>],
    /// Only offers of this rank, if one is given.
    rank: Option<Rank>,
    /// The next offer of each backend: its price, the backend, and its place among the matches.
    next: BinaryHeap<Reverse<(u64, u32, usize)>>,
}

impl<'a, 'b> ByPrice<'a, 'b> {
    /// The offers after the cursor; those of one `rank` only, if one is given.
    pub(super) fn new(
        all: &'a [Candidates<'b>],
        after: Option<&Cursor>,
        rank: Option<Rank>,
    ) -> Self {
        let mut merged = Self {
            all,
            rank,
            next: BinaryHeap::with_capacity(all.len()),
        };
        for (backend, candidates) in (0..).zip(all) {
            let rows = &candidates.matches.rows;
            let start = after.map_or(0, |cursor| {
                let name = candidates.name().as_str();
                let launchable = rank.and_then(launchable);
                rows.partition_point(|&row| {
                    cursor.has_passed(launchable, name, &candidates.offer(row))
                })
            });
            merged.push_next(backend, start);
        }
        merged
    }

    /// Notes the backend's first offer from a place of its matches on.
    fn push_next(&mut self, backend: u32, from: usize) {
        let candidates = &self.all[backend as usize];
        let matches = &candidates.matches;
        let has_rank = |place: usize| {
            let of_cell = || candidates.rank(matches.cells[place]);
            self.rank.is_none_or(|rank| of_cell() == rank)
        };
        let mut places = from..matches.rows.len();
        let found = places.find_map(|place| {
            let row = candidates.row_at(place).filter(|_| has_rank(place))?;
            Some((place, row))
        });
        if let Some((place, row)) = found {
            let price = price_bits(price_key(candidates.offer(row).price));
            self.next.push(Reverse((price, backend, place)));
        }
    }
}

impl Iterator for ByPrice<'_, '_> {
    type Item = PageRow;

    fn next(&mut self) -> Option<PageRow> {
        let Reverse((_, backend, place)) = self.next.pop()?;
        self.push_next(backend, place + 1);
        let row = self.all[backend as usize].matches.rows[place];
        Some(PageRow { backend, row })
    }
}

/// Returns a number that is ordered as prices are (IEEE 754, totalOrder).
pub(super) fn price_bits(price: f64) -> u64 {
    let bits = price.to_bits();
    match price.is_sign_negative() {
        true => !bits,
        false => bits | (1 << 63),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prices_and_their_bits_are_ordered_alike(a in any::<f64>(), b in any::<f64>()) {
            prop_assert_eq!(price_bits(a).cmp(&price_bits(b)), a.total_cmp(&b));
        }
    }
}
