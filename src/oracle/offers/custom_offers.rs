//! Offers that the caller lists, judged one by one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::Shape;
use crate::model::{BackendName, Gpu, Instance, Market};
use crate::oracle::Oracle;

use super::region_verdicts::{RegionVerdicts, Verdicts};
use super::verdict_counts::VerdictCounts;
use super::{Assessment, Evaluator, OfferedBackend};

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
    /// Who made it, if known.
    pub vendor: Option<&'a str>,
}

/// What is said of the offers of a list.
#[derive(Debug)]
pub struct Assessments {
    /// One for each offer, in the order of the list.
    pub assessments: Vec<Assessment>,
    /// How far the backends that were asked about could be read.
    pub backends: Vec<OfferedBackend>,
}

impl Oracle {
    /// Judges offers of the caller's own, `count` of each, as far as the caller `sees` backends.
    pub fn assess_custom<'a>(
        &self,
        offers: impl IntoIterator<Item = CustomOffer<'a>>,
        count: u32,
        sees: impl Fn(&BackendName) -> bool,
    ) -> Assessments {
        let oracle = &*self.0;
        let seen = oracle.backends.values();
        let seen = seen.filter(|connected| sees(&connected.backend.name));
        let mut benches: Vec<(Option<BackendBatch<'_, 'a>>, _)> =
            seen.map(|connected| (None, connected)).collect();
        let names: Vec<&str> = benches
            .iter()
            .map(|(_, connected)| connected.backend.name.as_str())
            .collect();

        let assessments = offers
            .into_iter()
            .map(|offer| {
                let Some(place) = names.iter().position(|name| *name == offer.backend) else {
                    let reason = format!("there is no backend `{}`", offer.backend);
                    return Assessment::unknown(reason, None);
                };
                let (bench, connected) = &mut benches[place];
                bench
                    .get_or_insert_with(|| BackendBatch {
                        judge: Evaluator::new(oracle, connected, count.max(1)),
                        tally: VerdictCounts::default(),
                        asked: HashMap::new(),
                    })
                    .assessment(&offer)
            })
            .collect();

        let now = oracle.clock.now();
        let mut backends = Vec::new();
        for bench in benches.into_iter().filter_map(|(bench, _)| bench) {
            let judge = &bench.judge;
            for asked in bench.asked.values().flatten() {
                oracle.request_in_background(judge.connected, &asked.region, now);
            }
            bench.tally.count(&oracle.metrics, judge.name());
            backends.push(judge.backend());
        }
        Assessments {
            assessments,
            backends,
        }
    }
}

/// Where the offers of one backend are judged.
struct BackendBatch<'a, 'o> {
    judge: Evaluator<'a>,
    tally: VerdictCounts,
    /// The regions that were asked about, as far as they are the backend's.
    asked: HashMap<&'o str, Option<AskedRegion>>,
}

/// A region that was asked about, and what is said there of so many instances.
struct AskedRegion {
    region: Arc<RegionVerdicts>,
    verdicts: Arc<Verdicts>,
}

impl<'o> BackendBatch<'_, 'o> {
    fn assessment(&mut self, offer: &CustomOffer<'o>) -> Assessment {
        let judge = &self.judge;
        let region = self.asked.entry(offer.region).or_insert_with(|| {
            let region = judge.view.region(offer.region)?;
            let verdicts = region.verdicts(judge.count);
            Some(AskedRegion { region, verdicts })
        });
        let assessment = match region {
            Some(asked) => judge.of_listed(offer, asked),
            None => {
                let reason = format!("{} has no region `{}`", offer.backend, offer.region);
                Assessment::unknown(reason, Some(&judge.view))
            }
        };
        self.tally.add(&assessment);
        assessment
    }
}

impl Evaluator<'_> {
    fn of_listed(&self, asked: &CustomOffer<'_>, at: &AskedRegion) -> Assessment {
        let AskedRegion { region, verdicts } = at;
        let table = self.view.table();
        // A type is mostly the same everywhere, which spares looking for it in the region.
        let listed = table.only_shape(asked.instance_type).or_else(|| {
            let offer = table.find(asked.region, asked.instance_type, asked.market)?;
            Some(offer.shape_index)
        });
        let judged = match listed {
            Some(shape) if is_as_listed(asked, &table.shapes()[shape]) => {
                let demand = self.view.demands.number(shape, asked.market);
                Arc::clone(region.of_catalog(verdicts, demand))
            }
            _ => {
                let known = match listed {
                    Some(shape) => Some(table.shapes()[shape].clone()),
                    // What it is made of is the same in another region.
                    None => table.type_by_name(asked.instance_type),
                };
                let instance = instance(asked, known.as_ref());
                let demand = self.connected.backend.source.demand(
                    &instance,
                    asked.market,
                    &crate::model::Snapshot::default(),
                );
                region.of_other(verdicts, demand)
            }
        };
        let capacity = region.capacity(asked.instance_type, asked.market);
        Assessment::new(&self.view, region, judged, capacity)
    }
}

/// Whether the caller says nothing of an offer that the catalog does not.
fn is_as_listed(asked: &CustomOffer<'_>, shape: &Shape) -> bool {
    let same_gpu = |asked: CustomGpu<'_>| {
        shape.gpu.as_ref().is_some_and(|gpu| {
            gpu.name.eq_ignore_ascii_case(asked.name)
                && gpu.count == asked.count
                && (asked.memory_gb.is_none() || asked.memory_gb == gpu.memory_gb)
                && (asked.vendor.is_none() || asked.vendor == gpu.vendor.as_deref())
        })
    };
    asked.disk_gb.is_none()
        && !asked.public_ip
        && (asked.cpus.is_none() || asked.cpus == shape.cpus)
        && (asked.memory_gb.is_none() || asked.memory_gb == shape.memory_gb)
        && asked.gpu.is_none_or(same_gpu)
}

/// What the caller says of an offer, and the catalog where the caller says nothing.
fn instance(asked: &CustomOffer<'_>, known: Option<&Shape>) -> Instance {
    let known_gpu = known.and_then(|shape| shape.gpu.as_ref());
    let gpu = asked.gpu.map(|gpu| {
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
            None => asked.instance_type.into(),
        },
        cpus: asked.cpus.or(known.and_then(|shape| shape.cpus)),
        memory_gb: asked.memory_gb.or(known.and_then(|shape| shape.memory_gb)),
        gpu: gpu.or_else(|| known_gpu.cloned()),
        disk_gb: asked.disk_gb,
        public_ip: asked.public_ip,
    }
}
