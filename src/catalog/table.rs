//! One provider's offers, in columns.
//!
//! A type has the same resources in nearly all regions, so they are stored once, as a [`Shape`]. The rows themselves are columns of numbers, cheapest first; a row's number is
//! thus its place in the order of price, and any ascending list of rows is already sorted.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::interner::Interner;
use super::inverted_index::InvertedIndex;
use super::row::Row;
use crate::model::{Gpu, Instance, Market, PriceBasis, Region};

/// A row's number, which is its place in the order of price; unknown prices come last.
pub type RowId = u32;

/// One provider's offers.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(super) shapes: Vec<Shape>,
    pub(super) regions: Vec<Region>,

    // The columns. A price is not a number where it is unknown, and so compares with none.
    pub(super) shape: Vec<u32>,
    pub(super) region: Vec<u32>,
    pub(super) spot: Vec<bool>,
    pub(super) price: Vec<f64>,
    price_basis: Vec<PriceBasis>,

    pub(super) type_names: Interner,
    pub(super) region_names: Interner,
    pub(super) gpu_names: Interner,
    pub(super) vendor_names: Interner,
    pub(super) shapes_of_type: InvertedIndex,
    pub(super) shapes_of_gpu: InvertedIndex,
    pub(super) rows_of_shape: InvertedIndex,
    pub(super) rows_of_region: InvertedIndex,
}

/// The resources of an instance of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The cloud's name of the type.
    pub instance_type: Arc<str>,
    /// Virtual CPUs, if known.
    pub cpus: Option<u32>,
    /// Memory in GiB, if known.
    pub memory_gb: Option<f64>,
    /// The GPUs, if any.
    pub gpu: Option<Gpu>,
    pub(super) numbers: Numbers,
}

/// The numbers of a shape's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    pub(super) instance_type: u32,
    pub(super) gpu: Option<u32>,
    pub(super) vendor: Option<u32>,
}

/// A row, as it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer<'a> {
    /// Its number.
    pub id: RowId,
    /// The resources of the instance.
    pub shape: &'a Shape,
    /// The place of the shape in [`Table::shapes`].
    pub shape_index: usize,
    /// The region.
    pub region: &'a Region,
    /// The place of the region in [`Table::regions`].
    pub region_index: usize,
    /// The market.
    pub market: Market,
    /// US dollars per hour, if known.
    pub price: Option<f64>,
    /// The origin of the price.
    pub price_basis: PriceBasis,
}

impl Table {
    /// Returns the number of offers.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Whether there is no offer.
    pub fn is_empty(&self) -> bool {
        self.shape.is_empty()
    }

    /// Returns the shapes, each once.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Returns the regions of the offers, each once.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The row of that number, which must come from this table.
    pub fn offer(&self, id: RowId) -> Offer<'_> {
        let row = id as usize;
        let (shape_index, region_index) = (self.shape[row] as usize, self.region[row] as usize);
        let price = self.price[row];
        Offer {
            id,
            shape: &self.shapes[shape_index],
            shape_index,
            region: &self.regions[region_index],
            region_index,
            market: if self.spot[row] {
                Market::Spot
            } else {
                Market::OnDemand
            },
            price: (!price.is_nan()).then_some(price),
            price_basis: self.price_basis[row],
        }
    }

    /// Returns the places of a row's region and shape, and its market.
    pub fn place(&self, id: RowId) -> (usize, usize, Market) {
        let row = id as usize;
        let market = match self.spot[row] {
            true => Market::Spot,
            false => Market::OnDemand,
        };
        (self.region[row] as usize, self.shape[row] as usize, market)
    }

    /// Returns the offer of a type in a region, the cheapest if the type has several shapes.
    pub fn find(&self, region: &str, instance_type: &str, market: Market) -> Option<Offer<'_>> {
        let region = self.region_names.find(region)?;
        let spot = market == Market::Spot;
        let rows = self
            .shapes_named(instance_type)
            .iter()
            .flat_map(|&shape| self.rows_of_shape.of(shape));
        rows.copied()
            .filter(|&row| self.region[row as usize] == region && self.spot[row as usize] == spot)
            .min()
            .map(|row| self.offer(row))
    }

    /// The place in [`Table::regions`] of a region, whatever the case of its name.
    pub fn region_place(&self, name: &str) -> Option<usize> {
        self.region_names.find(name).map(|number| number as usize)
    }

    /// Returns the place in [`Table::shapes`] of a type's shape, if it has only one.
    pub fn only_shape(&self, instance_type: &str) -> Option<usize> {
        match self.shapes_named(instance_type) {
            [shape] => Some(*shape as usize),
            _ => None,
        }
    }

    /// Returns the place in [`Table::shapes`] of the shape of a type with these GPUs, if there is
    /// one and only one; the case of the names does not matter.
    ///
    /// A type's name alone does not identify what it is made of: on GCP one N1 type is offered
    /// with several GPUs, each with quotas of its own.
    pub fn shape_for(
        &self,
        instance_type: &str,
        gpu_name: Option<&str>,
        gpu_count: u32,
    ) -> Option<usize> {
        let has_gpus = |shape: &Shape| match (&shape.gpu, gpu_name) {
            (Some(gpu), Some(name)) => {
                gpu.count == gpu_count && gpu.name.eq_ignore_ascii_case(name)
            }
            (None, None) => true,
            _ => false,
        };
        let places = self.shapes_named(instance_type).iter();
        let mut matching = places
            .map(|&shape| shape as usize)
            .filter(|&place| has_gpus(&self.shapes[place]));
        matching.next().filter(|_| matching.next().is_none())
    }

    /// Returns the resources of a type that are the same wherever it is offered.
    ///
    /// A number or GPU on which its shapes differ is left out.
    pub fn type_by_name(&self, instance_type: &str) -> Option<Shape> {
        let mut shapes = self
            .shapes_named(instance_type)
            .iter()
            .map(|&shape| &self.shapes[shape as usize]);
        let first = shapes.next()?.clone();
        Some(shapes.fold(first, |mut common, shape| {
            common.cpus = common.cpus.filter(|_| common.cpus == shape.cpus);
            common.memory_gb = common
                .memory_gb
                .filter(|_| common.memory_gb == shape.memory_gb);
            common.gpu = common
                .gpu
                .take()
                .filter(|gpu| shape.gpu.as_ref() == Some(gpu));
            common
        }))
    }

    fn shapes_named(&self, instance_type: &str) -> &[u32] {
        match self.type_names.find(instance_type) {
            Some(number) => self.shapes_of_type.of(number),
            None => &[],
        }
    }
}

impl Shape {
    /// Returns a number that differs between the shapes of one type, in any release of the
    /// catalog; offers that are otherwise equal are ordered by it.
    pub fn fingerprint(&self) -> u64 {
        // Without keys of its own, so that it is the same in every process of a release.
        let mut hasher = DefaultHasher::new();
        let bits = |number: Option<f64>| number.map(f64::to_bits);
        let gpu = self.gpu.as_ref();
        (self.cpus, bits(self.memory_gb)).hash(&mut hasher);
        gpu.map(|gpu| (&gpu.name, gpu.count, bits(gpu.memory_gb), &gpu.vendor))
            .hash(&mut hasher);
        hasher.finish()
    }

    /// An instance of it, without disk and address.
    pub fn instance(&self) -> Instance {
        Instance {
            instance_type: self.instance_type.clone(),
            cpus: self.cpus,
            memory_gb: self.memory_gb,
            gpu: self.gpu.clone(),
            disk_gb: None,
            public_ip: false,
        }
    }
}

/// Collects rows, in any order, into a table.
#[derive(Debug, Default)]
pub(super) struct Builder {
    table: Table,
    shapes: HashMap<ShapeKey, u32>,
    rows: Vec<BuiltRow>,
}

/// The identity of a shape; floats by their bits.
type ShapeKey = (
    Numbers,
    Option<u32>,
    Option<u64>,
    Option<(u32, Option<u64>)>,
);

#[derive(Clone, Copy, Debug)]
struct BuiltRow {
    shape: u32,
    region: u32,
    spot: bool,
    price: f64,
    price_basis: PriceBasis,
}

impl Builder {
    pub(super) fn push(&mut self, row: &Row<'_>) {
        let shape = self.shape(row);
        let region = self.table.region_names.intern(row.region);
        self.rows.push(BuiltRow {
            shape,
            region,
            spot: row.spot,
            price: row.price.unwrap_or(f64::NAN),
            price_basis: row.price_basis,
        });
    }

    fn shape(&mut self, row: &Row<'_>) -> u32 {
        let table = &mut self.table;
        let gpu = row.gpu.as_ref();
        let numbers = Numbers {
            instance_type: table.type_names.intern(row.instance_type),
            gpu: gpu.map(|gpu| table.gpu_names.intern(gpu.name)),
            vendor: gpu.map(|gpu| table.vendor_names.intern(gpu.vendor)),
        };
        let key = (
            numbers,
            row.cpus,
            row.memory_gb.map(f64::to_bits),
            gpu.map(|gpu| (gpu.count, gpu.memory_gb.map(f64::to_bits))),
        );
        *self.shapes.entry(key).or_insert_with(|| {
            let text = |names: &Interner, number: u32| names.texts()[number as usize].clone();
            table.shapes.push(Shape {
                instance_type: text(&table.type_names, numbers.instance_type),
                cpus: row.cpus,
                memory_gb: row.memory_gb,
                gpu: gpu.zip(numbers.gpu).map(|(gpu, number)| Gpu {
                    name: text(&table.gpu_names, number),
                    count: gpu.count,
                    memory_gb: gpu.memory_gb,
                    vendor: numbers
                        .vendor
                        .map(|number| text(&table.vendor_names, number)),
                }),
                numbers,
            });
            table.shapes.len() as u32 - 1
        })
    }

    pub(super) fn finish(mut self) -> Table {
        self.sort_cheapest_first();
        // An offer is a type in a region and a market: of several, the cheapest counts.
        let mut seen = HashSet::with_capacity(self.rows.len());
        self.rows
            .retain(|row| seen.insert((row.shape, row.region, row.spot)));

        let Self {
            mut table, rows, ..
        } = self;
        table.shape = rows.iter().map(|row| row.shape).collect();
        table.region = rows.iter().map(|row| row.region).collect();
        table.spot = rows.iter().map(|row| row.spot).collect();
        table.price = rows.iter().map(|row| row.price).collect();
        table.price_basis = rows.iter().map(|row| row.price_basis).collect();

        let regions = table.region_names.texts();
        table.regions = regions.iter().cloned().map(Region::new).collect();
        table.rows_of_region =
            InvertedIndex::new(regions.len(), table.region.iter().copied().map(Some));
        let numbers = table.shapes.iter().map(|shape| shape.numbers);
        table.rows_of_shape =
            InvertedIndex::new(table.shapes.len(), table.shape.iter().copied().map(Some));
        table.shapes_of_type = InvertedIndex::new(
            table.type_names.texts().len(),
            numbers.clone().map(|of| Some(of.instance_type)),
        );
        table.shapes_of_gpu =
            InvertedIndex::new(table.gpu_names.texts().len(), numbers.map(|of| of.gpu));
        table
    }

    /// Orders by price, and where prices are equal or unknown by what the offers are, so that the
    /// order does not depend on the file's.
    fn sort_cheapest_first(&mut self) {
        let type_ranks = self.table.type_names.ranks();
        let region_ranks = self.table.region_names.ranks();
        let shapes: Vec<(u32, u64)> = self
            .table
            .shapes
            .iter()
            .map(|shape| {
                let type_rank = type_ranks[shape.numbers.instance_type as usize];
                (type_rank, shape.fingerprint())
            })
            .collect();
        self.rows.sort_by(|a, b| {
            let rest = |row: &BuiltRow| {
                let (type_rank, fingerprint) = shapes[row.shape as usize];
                let region_rank = region_ranks[row.region as usize];
                (type_rank, region_rank, row.spot, fingerprint)
            };
            // In the total order, what is not a number comes after all numbers.
            a.price
                .total_cmp(&b.price)
                .then_with(|| rest(a).cmp(&rest(b)))
        });
    }
}
