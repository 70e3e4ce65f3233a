//! An offer of the caller's own: what the caller says of it, and what the catalog says besides.

use std::sync::Arc;

use crate::catalog::{Shape, Table};
use crate::model::{Gpu, Instance, Market};

/// An offer of the caller's own.
#[derive(Clone, Copy, Debug)]
pub struct CustomOffer<'a> {
    /// The backend's name.
    pub backend: &'a str,
    /// The cloud's own region name.
    pub region: &'a str,
    /// The cloud's name of the type.
    pub instance_type: &'a str,
    /// How it is paid for.
    pub market: Market,
    /// Virtual CPUs; the catalog's if absent.
    pub cpus: Option<u32>,
    /// Memory in GiB; the catalog's if absent.
    pub memory_gb: Option<f64>,
    /// The GPUs; the catalog's if absent.
    pub gpu: Option<CustomGpu<'a>>,
    /// Disk to create with it, in GiB, if that is to be judged.
    pub disk_gb: Option<f64>,
    /// Whether it takes a public IPv4 address, if that is to be judged.
    pub public_ip: bool,
}

/// The GPUs of an offer of the caller's own.
#[derive(Clone, Copy, Debug)]
pub struct CustomGpu<'a> {
    /// The model.
    pub name: &'a str,
    /// How many.
    pub count: u32,
    /// Memory of each in GiB, if known.
    pub memory_gb: Option<f64>,
    /// The maker, if known.
    pub vendor: Option<&'a str>,
}

impl CustomOffer<'_> {
    /// Returns the place of its shape in a catalog.
    pub(super) fn listed_shape(&self, table: &Table) -> Option<usize> {
        // A type is mostly the same everywhere, which spares looking for it in the region; one of
        // several shapes is known by its GPUs, if the caller names them.
        let by_gpu = || {
            let gpu = self.gpu?;
            table.shape_for(self.instance_type, Some(gpu.name), gpu.count)
        };
        table
            .only_shape(self.instance_type)
            .or_else(by_gpu)
            .or_else(|| {
                // Where the catalog has only the other market's row of the region, its resources
                // are the same.
                let other = match self.market {
                    Market::OnDemand => Market::Spot,
                    Market::Spot => Market::OnDemand,
                };
                let row = [self.market, other]
                    .into_iter()
                    .find_map(|market| table.find(self.region, self.instance_type, market))?;
                Some(row.shape_index)
            })
    }

    /// Whether the caller says nothing that the catalog does not.
    pub(super) fn is_as_listed(&self, shape: &Shape) -> bool {
        let same_gpu = |asked: CustomGpu<'_>| {
            shape.gpu.as_ref().is_some_and(|gpu| {
                gpu.name.eq_ignore_ascii_case(asked.name)
                    && gpu.count == asked.count
                    && (asked.memory_gb.is_none() || asked.memory_gb == gpu.memory_gb)
                    && (asked.vendor.is_none() || asked.vendor == gpu.vendor.as_deref())
            })
        };
        self.disk_gb.is_none()
            && !self.public_ip
            && (self.cpus.is_none() || self.cpus == shape.cpus)
            && (self.memory_gb.is_none() || self.memory_gb == shape.memory_gb)
            && self.gpu.is_none_or(same_gpu)
    }

    /// Returns the instance: as the caller says, and as the catalog does where the caller is silent.
    pub(super) fn instance(&self, table: &Table, listed: Option<usize>) -> Instance {
        let known = match listed {
            Some(shape) => Some(table.shapes()[shape].clone()),
            // It is the same in another region.
            None => table.type_by_name(self.instance_type),
        };
        let known = known.as_ref();
        let known_gpu = known.and_then(|shape| shape.gpu.as_ref());
        let gpu = self.gpu.map(|gpu| {
            let same = known_gpu.filter(|known| known.name.eq_ignore_ascii_case(gpu.name));
            Gpu {
                name: gpu.name.into(),
                count: gpu.count,
                memory_gb: gpu.memory_gb.or(same.and_then(|known| known.memory_gb)),
                vendor: match gpu.vendor {
                    Some(vendor) => Some(vendor.into()),
                    None => same.and_then(|known| known.vendor.clone()),
                },
            }
        });
        Instance {
            instance_type: match known {
                Some(shape) => Arc::clone(&shape.instance_type),
                None => self.instance_type.into(),
            },
            cpus: self.cpus.or(known.and_then(|shape| shape.cpus)),
            memory_gb: self.memory_gb.or(known.and_then(|shape| shape.memory_gb)),
            gpu: gpu.or_else(|| known_gpu.cloned()),
            disk_gb: self.disk_gb,
            public_ip: self.public_ip,
        }
    }
}
