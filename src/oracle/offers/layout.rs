//! The part of a judged catalog that backends share: which regions of it they have, and what its
//! types draw on there.
//!
//! Offers that lie in one region and have one demand get one verdict: they are a cell. Accounts of
//! one cloud mostly have the same layout, so that a filter is matched once for all of them.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::catalog::{Filter, Offer, Release, RowId, Table};
use crate::model::Market;

use super::demands::Demands;

/// A catalog as a backend has it.
#[derive(Debug)]
pub(super) struct Layout {
    release: Arc<Release>,
    /// The demands in each region of the catalog; nothing where the backend has no such region.
    regions: Vec<Option<Arc<Demands>>>,
    /// The number of each region's first cell, and of all cells at the end.
    first_cell: Vec<u32>,
}

/// The number of a cell: a region of a catalog and a demand.
pub(super) type CellId = u32;

impl Layout {
    fn new(release: Arc<Release>, regions: Vec<Option<Arc<Demands>>>) -> Self {
        let mut first_cell = Vec::with_capacity(regions.len() + 1);
        let mut next = 0;
        for demands in &regions {
            first_cell.push(next);
            next += demands
                .as_ref()
                .map_or(0, |demands| demands.distinct().len()) as u32;
        }
        first_cell.push(next);
        Self {
            release,
            regions,
            first_cell,
        }
    }

    /// Returns the release of the catalog.
    pub(super) fn release(&self) -> &Arc<Release> {
        &self.release
    }

    /// Returns the catalog's rows.
    pub(super) fn table(&self) -> &Table {
        &self.release.table
    }

    /// Returns how many cells there are.
    pub(super) fn cell_count(&self) -> usize {
        self.first_cell[self.regions.len()] as usize
    }

    /// Returns the cells of a region, by its place in the catalog.
    pub(super) fn cells_of(&self, region: usize) -> std::ops::Range<CellId> {
        self.first_cell[region]..self.first_cell[region + 1]
    }

    /// Returns the cell of an offer, if the backend has its region.
    pub(super) fn cell(&self, offer: &Offer<'_>) -> Option<CellId> {
        self.cell_of(offer.region_index, offer.shape_index, offer.market)
    }

    fn cell_of(&self, region: usize, shape: usize, market: Market) -> Option<CellId> {
        let demands = self.regions[region].as_ref()?;
        Some(self.first_cell[region] + demands.number(shape, market))
    }

    fn is_same(&self, release: &Arc<Release>, regions: &[Option<Arc<Demands>>]) -> bool {
        let same = |pair: (&Option<Arc<Demands>>, &Option<Arc<Demands>>)| match pair {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        Arc::ptr_eq(&self.release, release)
            && self.regions.len() == regions.len()
            && self.regions.iter().zip(regions).all(same)
    }
}

/// The layouts in use, each once.
#[derive(Debug, Default)]
pub(in crate::oracle) struct SharedLayouts(Mutex<Vec<Weak<Layout>>>);

impl SharedLayouts {
    /// Returns the layout of this release with these demands.
    pub(super) fn of(
        &self,
        release: &Arc<Release>,
        regions: Vec<Option<Arc<Demands>>>,
    ) -> Arc<Layout> {
        let mut layouts = self.0.lock();
        layouts.retain(|layout| layout.strong_count() > 0);
        let mut known = layouts.iter().filter_map(Weak::upgrade);
        if let Some(same) = known.find(|layout| layout.is_same(release, &regions)) {
            return same;
        }
        let layout = Arc::new(Layout::new(Arc::clone(release), regions));
        layouts.push(Arc::downgrade(&layout));
        layout
    }
}

/// The rows of a layout that a filter matches, cheapest first, each with its cell.
#[derive(Debug)]
pub(super) struct Matches {
    /// The rows, in the order of price.
    pub(super) rows: Vec<RowId>,
    /// The cells of the same rows.
    pub(super) cells: Vec<CellId>,
    /// How many of the rows each cell has.
    pub(super) counts: Vec<u32>,
}

impl Matches {
    pub(super) fn new(layout: &Layout, filter: &Filter) -> Self {
        let table = layout.table();
        let found = table.query(filter);
        let mut matches = Self {
            rows: Vec::with_capacity(found.len()),
            cells: Vec::with_capacity(found.len()),
            counts: vec![0; layout.cell_count()],
        };
        for row in found {
            let (region, shape, market) = table.place(row);
            if let Some(cell) = layout.cell_of(region, shape, market) {
                matches.rows.push(row);
                matches.cells.push(cell);
                matches.counts[cell as usize] += 1;
            }
        }
        matches
    }

    /// Returns the places in the catalog of the regions that have rows.
    pub(super) fn regions(&self, layout: &Layout) -> impl Iterator<Item = usize> {
        (0..layout.regions.len()).filter(|region| {
            let cells = layout.cells_of(*region);
            let counts = &self.counts[cells.start as usize..cells.end as usize];
            counts.iter().any(|count| *count > 0)
        })
    }

    /// Returns the cells that have rows, with how many.
    pub(super) fn used_cells(&self) -> impl Iterator<Item = (CellId, u32)> {
        let counts = (0..).zip(self.counts.iter().copied());
        counts.filter(|(_, count)| *count > 0)
    }
}
