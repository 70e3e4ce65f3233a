//! Conditions on offers, and finding matching rows without comparing text.

use std::sync::Arc;

use super::gpu_names::NamedGpu;
use super::interner::Interner;
use super::inverted_index::InvertedIndex;
use super::table::{RowId, Shape, Table};
use crate::model::Market;

/// Conditions on offers; an offer matches if it meets every one that is set.
///
/// Names match case-insensitively. A list of names matches any of them, and an empty one matches
/// nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// One of these regions.
    pub regions: Option<Vec<String>>,
    /// One of these instance types.
    pub instance_types: Option<Vec<String>>,
    /// GPUs of one of these models, by the catalog's name or a cloud's own.
    pub gpus: Option<Vec<String>>,
    /// GPUs of one of these makers.
    pub gpu_vendors: Option<Vec<String>>,
    /// At least so many GPUs.
    pub min_gpu_count: Option<u32>,
    /// At most so many GPUs; no GPU counts as zero.
    pub max_gpu_count: Option<u32>,
    /// At least so much memory in each GPU, in GiB; unknown is not enough.
    pub min_gpu_memory_gb: Option<f64>,
    /// At most so much memory in each GPU, in GiB; unknown is too much, and no GPU has none.
    pub max_gpu_memory_gb: Option<f64>,
    /// At least so many virtual CPUs; unknown is not enough.
    pub min_cpus: Option<u32>,
    /// At least so much memory, in GiB; unknown is not enough.
    pub min_memory_gb: Option<f64>,
    /// This market.
    pub market: Option<Market>,
    /// At most this price, in US dollars per hour; an unknown price is never low enough.
    pub max_price: Option<f64>,
}

/// The kinds of names in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOf {
    /// A region.
    Region,
    /// An instance type.
    InstanceType,
    /// A GPU model.
    Gpu,
    /// A maker of GPUs.
    GpuVendor,
}

impl Filter {
    /// Returns all names of the filter.
    pub fn names(&self) -> impl Iterator<Item = (NameOf, &str)> {
        let lists = [
            (NameOf::Region, &self.regions),
            (NameOf::InstanceType, &self.instance_types),
            (NameOf::Gpu, &self.gpus),
            (NameOf::GpuVendor, &self.gpu_vendors),
        ];
        lists.into_iter().flat_map(|(of, names)| {
            let names = names.iter().flatten();
            names.map(move |name| (of, name.as_str()))
        })
    }
}

impl Table {
    /// Whether any offer has this name.
    pub fn has_name(&self, of: NameOf, name: &str) -> bool {
        match of {
            NameOf::Gpu => NamedGpu::find(&self.gpu_names, name).is_some(),
            _ => self.names_of(of).find(name).is_some(),
        }
    }

    /// All names that offers have.
    pub fn names(&self, of: NameOf) -> &[Arc<str>] {
        self.names_of(of).texts()
    }

    fn names_of(&self, of: NameOf) -> &Interner {
        match of {
            NameOf::Region => &self.region_names,
            NameOf::InstanceType => &self.type_names,
            NameOf::Gpu => &self.gpu_names,
            NameOf::GpuVendor => &self.vendor_names,
        }
    }

    /// The rows that `filter` asks for, cheapest first.
    ///
    /// Conditions on the instance type are decided once for each shape. Then those rows are looked
    /// at that the regions or the shapes leave, whichever are fewer.
    pub fn query(&self, filter: &Filter) -> Vec<RowId> {
        let shapes = self.matching_shapes(filter);
        let regions = filter
            .regions
            .as_ref()
            .map(|names| self.region_names.find_all(names));

        let region_wanted = regions
            .as_ref()
            .map(|regions| Set::new(self.regions.len(), regions));
        let spot = filter.market.map(|market| market == Market::Spot);
        let meets_rest = |row: usize| {
            region_wanted
                .as_ref()
                .is_none_or(|wanted| wanted.has(self.region[row]))
                && spot.is_none_or(|spot| self.spot[row] == spot)
                && filter.max_price.is_none_or(|max| self.price[row] <= max)
        };

        let in_shapes = match &shapes {
            Some(shapes) => self.rows_of_shape.total(shapes),
            None => self.len(),
        };
        let in_regions = match &regions {
            Some(regions) => self.rows_of_region.total(regions),
            None => self.len(),
        };
        match (shapes, regions) {
            (Some(shapes), _) if in_shapes <= in_regions => {
                ordered(&self.rows_of_shape, &shapes, meets_rest)
            }
            (shapes, regions) => {
                let shape_wanted = shapes.map(|shapes| Set::new(self.shapes.len(), &shapes));
                let matches = |row: usize| {
                    shape_wanted
                        .as_ref()
                        .is_none_or(|wanted| wanted.has(self.shape[row]))
                        && meets_rest(row)
                };
                match regions {
                    Some(regions) => ordered(&self.rows_of_region, &regions, matches),
                    None => (0..self.len() as RowId)
                        .filter(|&row| matches(row as usize))
                        .collect(),
                }
            }
        }
    }

    /// The shapes that meet all conditions on them; none given means that all do.
    fn matching_shapes(&self, filter: &Filter) -> Option<Vec<u32>> {
        let Filter {
            regions: _,
            instance_types,
            gpus,
            gpu_vendors,
            min_gpu_count,
            max_gpu_count,
            min_gpu_memory_gb,
            max_gpu_memory_gb,
            min_cpus,
            min_memory_gb,
            market: _,
            max_price: _,
        } = filter;
        let resolve = |names: &Option<Vec<String>>, known: &Interner| {
            names.as_ref().map(|names| known.find_all(names))
        };
        let types = resolve(instance_types, &self.type_names);
        let gpus: Option<Vec<NamedGpu>> = gpus.as_ref().map(|names| {
            let names = names.iter();
            names
                .filter_map(|name| NamedGpu::find(&self.gpu_names, name))
                .collect()
        });
        let vendors = resolve(gpu_vendors, &self.vendor_names);
        let is_one_of = |wanted: &Option<Vec<u32>>, number: Option<u32>| match (wanted, number) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(number)) => wanted.binary_search(&number).is_ok(),
        };
        let is_named = |shape: &Shape| {
            let memory_gb = shape.gpu.as_ref().and_then(|gpu| gpu.memory_gb);
            let is = |gpu: &NamedGpu| shape.numbers.gpu.is_some_and(|it| gpu.is(it, memory_gb));
            gpus.as_ref().is_none_or(|gpus| gpus.iter().any(is))
        };
        let matches = |shape: &Shape| {
            let gpu = shape.gpu.as_ref();
            let gpu_count = gpu.map_or(0, |gpu| gpu.count);
            let gpu_memory_gb = gpu.and_then(|gpu| gpu.memory_gb).unwrap_or(0.0);
            // Unknown is neither enough nor little enough.
            let most_memory_gb = gpu.map_or(0.0, |gpu| gpu.memory_gb.unwrap_or(f64::INFINITY));
            is_one_of(&types, Some(shape.numbers.instance_type))
                && is_named(shape)
                && is_one_of(&vendors, shape.numbers.vendor)
                && min_gpu_count.is_none_or(|min| gpu_count >= min)
                && max_gpu_count.is_none_or(|max| gpu_count <= max)
                && min_gpu_memory_gb.is_none_or(|min| gpu_memory_gb >= min)
                && max_gpu_memory_gb.is_none_or(|max| most_memory_gb <= max)
                && min_cpus.is_none_or(|min| shape.cpus.unwrap_or(0) >= min)
                && min_memory_gb.is_none_or(|min| shape.memory_gb.unwrap_or(0.0) >= min)
        };

        let any_condition = types.is_some()
            || gpus.is_some()
            || vendors.is_some()
            || min_gpu_count.is_some()
            || max_gpu_count.is_some()
            || min_gpu_memory_gb.is_some()
            || max_gpu_memory_gb.is_some()
            || min_cpus.is_some()
            || min_memory_gb.is_some();
        any_condition.then(|| {
            let matches = |shape: &u32| matches(&self.shapes[*shape as usize]);
            match (&types, &gpus) {
                (Some(types), _) => members(&self.shapes_of_type, types)
                    .filter(matches)
                    .collect(),
                (_, Some(gpus)) => {
                    let mut models: Vec<u32> = gpus.iter().map(|gpu| gpu.number).collect();
                    models.sort_unstable();
                    models.dedup();
                    members(&self.shapes_of_gpu, &models)
                        .filter(matches)
                        .collect()
                }
                _ => (0..self.shapes.len() as u32).filter(matches).collect(),
            }
        })
    }
}

fn members<'a>(groups: &'a InvertedIndex, keys: &'a [u32]) -> impl Iterator<Item = u32> {
    keys.iter().flat_map(|&key| groups.of(key)).copied()
}

/// The rows of these groups that match, in the order of price.
fn ordered(groups: &InvertedIndex, keys: &[u32], matches: impl Fn(usize) -> bool) -> Vec<RowId> {
    let mut rows: Vec<RowId> = members(groups, keys)
        .filter(|&row| matches(row as usize))
        .collect();
    rows.sort_unstable();
    rows
}

/// A set of numbers below a bound.
struct Set(Vec<bool>);

impl Set {
    fn new(bound: usize, members: &[u32]) -> Self {
        let mut set = vec![false; bound];
        for &member in members {
            set[member as usize] = true;
        }
        Self(set)
    }

    fn has(&self, number: u32) -> bool {
        self.0[number as usize]
    }
}
