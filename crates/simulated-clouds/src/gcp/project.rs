//! A project's contents: the quotas of each service, and the usage that Cloud Monitoring has.

use std::collections::BTreeMap;
use std::time::Duration;

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its number, which stands in names where settings have the id.
    pub number: String,
    /// The regions, by name.
    pub regions: BTreeMap<String, RegionState>,
    /// Compute Engine's global quotas, by metric.
    pub global: BTreeMap<String, Metric>,
    /// What Cloud Quotas knows besides.
    pub quota_infos: Vec<QuotaInfo>,
    /// What Cloud Monitoring knows.
    pub series: Vec<Series>,
}

/// A region of Compute Engine.
#[derive(Clone, Debug, Default)]
pub struct RegionState {
    /// Its quotas, by metric.
    pub metrics: BTreeMap<String, Metric>,
    /// Whether its quotas cannot be loaded for now.
    pub quotas_unavailable: bool,
}

/// A quota of Compute Engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Its limit.
    pub limit: f64,
    /// Its usage.
    pub usage: f64,
}

/// A quota of Cloud Quotas.
#[derive(Clone, Debug)]
pub struct QuotaInfo {
    /// Its id.
    pub quota_id: String,
    /// The dimensions by which it is divided.
    pub dimensions: Vec<String>,
    /// Its values.
    pub rows: Vec<ValueRow>,
    /// Whether the project may ask for more.
    pub is_eligible: bool,
}

/// The value of a quota for some dimensions.
#[derive(Clone, Debug)]
pub struct ValueRow {
    /// The dimensions; what is not named is any.
    pub dimensions: BTreeMap<String, String>,
    /// The value; nothing where the service has none, which is not zero.
    pub value: Option<i64>,
    /// The regions in which it holds.
    pub locations: Vec<String>,
}

/// The usage of a quota in a region.
#[derive(Clone, Debug)]
pub struct Series {
    /// The metric that has it.
    pub metric: SeriesMetric,
    /// The region.
    pub region: String,
    /// The family, or the quota's own metric.
    pub label: String,
    /// The usage.
    pub usage: i64,
    /// How old the newest point is, whenever it is asked for.
    pub lag: Duration,
}

/// A metric of usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesMetric {
    /// `gpus_per_gpu_family`.
    Gpus,
    /// `cpus_per_vm_family`.
    Cpus,
    /// `allocation/usage`, of all older quotas.
    Allocation,
}

impl Project {
    /// Sets the limit of a quota as quota-oracle names it: of a region, or of the project where
    /// none is named. `None` leaves a family without a value.
    pub fn set_limit(&mut self, region: Option<&str>, code: &str, limit: Option<i64>) {
        match (QuotaInfo::id_of(code), region) {
            (Some((id, family)), Some(region)) => {
                let info = self.quota_infos.iter_mut().find(|info| info.quota_id == id);
                if let Some(info) = info {
                    info.set(region, family, limit);
                }
            }
            _ => {
                let limit = limit.unwrap_or_default() as f64;
                if let Some(metrics) = self.metrics(region) {
                    let metric = metrics.entry(code.to_owned());
                    metric.or_insert(Metric { limit, usage: 0.0 }).limit = limit;
                }
            }
        }
    }

    /// Sets the usage of a quota; that of a family is as old as `lag` whenever it is asked for.
    pub fn set_usage(&mut self, region: Option<&str>, code: &str, usage: i64, lag: Duration) {
        let Some((metric, label)) = SeriesMetric::of_code(code).filter(|_| region.is_some()) else {
            let metrics = self.metrics(region);
            if let Some(metric) = metrics.and_then(|metrics| metrics.get_mut(code)) {
                metric.usage = usage as f64;
            }
            return;
        };
        let region = region.unwrap_or_default();
        self.series.retain(|series| {
            (series.metric, &*series.region, &series.label) != (metric, region, &label)
        });
        self.series.push(Series {
            metric,
            region: region.to_owned(),
            label,
            usage,
            lag,
        });
    }

    fn metrics(&mut self, region: Option<&str>) -> Option<&mut BTreeMap<String, Metric>> {
        match region {
            None => Some(&mut self.global),
            Some(region) => Some(&mut self.regions.get_mut(region)?.metrics),
        }
    }
}

impl QuotaInfo {
    /// The id of a quota and its family, for those that Compute Engine does not list.
    fn id_of(code: &str) -> Option<(String, Option<(&'static str, &str)>)> {
        if let Some((group, family)) = code.split_once('/') {
            let dimension = match group {
                "GPUS_PER_GPU_FAMILY" => "gpu_family",
                _ => "vm_family",
            };
            let id = format!("{}-per-project-region", group.replace('_', "-"));
            return Some((id, Some((dimension, family))));
        }
        let model = code.strip_prefix("PREEMPTIBLE_NVIDIA_")?;
        let is_newer = ["H100", "H200", "B200", "RTX_PRO"];
        let is_newer = is_newer.iter().any(|newer| model.starts_with(newer));
        is_newer.then(|| {
            (
                format!("{}-per-project-region", code.replace('_', "-")),
                None,
            )
        })
    }

    fn set(&mut self, region: &str, family: Option<(&str, &str)>, value: Option<i64>) {
        let named = [Some(("region", region)), family];
        let named = named.into_iter().flatten();
        let dimensions: BTreeMap<_, _> = named
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.rows.retain(|row| row.dimensions != dimensions);
        self.rows.push(ValueRow {
            dimensions,
            value,
            locations: vec![region.to_owned()],
        });
    }
}

impl SeriesMetric {
    fn of_code(code: &str) -> Option<(Self, String)> {
        match (code.split_once('/'), QuotaInfo::id_of(code)) {
            (Some(("GPUS_PER_GPU_FAMILY", family)), _) => Some((Self::Gpus, family.to_owned())),
            (Some((_, family)), _) => Some((Self::Cpus, family.to_owned())),
            (None, Some(_)) => {
                let metric = format!("compute.googleapis.com/{}", code.to_ascii_lowercase());
                Some((Self::Allocation, metric))
            }
            (None, None) => None,
        }
    }
}
