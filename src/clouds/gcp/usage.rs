//! Usage from Cloud Monitoring, of the quotas that Compute Engine does not list. It comes late, so
//! each number has its time, and an old one decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::metrics;
use super::wire::{Labelled, TimeSeries};
use crate::model::{Amount, Region, Usage};

/// The age beyond which a usage is shown and counts as unknown: Google documents no delay, and
/// within this time few projects start enough GPUs to matter.
const LONGEST_AGE: SignedDuration = SignedDuration::from_mins(15);

/// The time that is looked back: readers have seen usage a day old, and older is of no use.
pub(super) const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(25);

/// A metric of usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UsageMetric {
    Gpus,
    Cpus,
    Preemptible,
}

/// All metrics, each of which is a call.
pub(super) const USAGE_METRICS: [UsageMetric; 3] = [
    UsageMetric::Gpus,
    UsageMetric::Cpus,
    UsageMetric::Preemptible,
];

const PREFIX: &str = "compute.googleapis.com/";

impl UsageMetric {
    /// Returns the metric that has the usage of a quota.
    pub(super) fn of_code(code: &str) -> Self {
        match metrics::family_of(code) {
            Some((metrics::GPU_GROUP, _)) => Self::Gpus,
            Some(_) => Self::Cpus,
            None => Self::Preemptible,
        }
    }

    /// Returns the filter that finds it; one call may ask for one metric only.
    pub(super) fn filter(self) -> &'static str {
        match self {
            Self::Gpus => "metric.type=\"compute.googleapis.com/quota/gpus_per_gpu_family/usage\"",
            Self::Cpus => "metric.type=\"compute.googleapis.com/quota/cpus_per_vm_family/usage\"",
            // Without the last part it has the usage of all older quotas in all regions.
            Self::Preemptible => {
                "metric.type=\"serviceruntime.googleapis.com/quota/allocation/usage\" AND \
                 resource.labels.service=\"compute.googleapis.com\" AND \
                 metric.labels.quota_metric=starts_with(\"compute.googleapis.com/preemptible_nvidia_\")"
            }
        }
    }

    fn code(self, metric: &Labelled) -> Option<String> {
        let label = |name: &str| metric.labels.get(name);
        Some(match self {
            Self::Gpus => metrics::family_code(metrics::GPU_GROUP, label("gpu_family")?),
            Self::Cpus => metrics::family_code(metrics::CPU_GROUP, label("vm_family")?),
            Self::Preemptible => {
                let metric = label("quota_metric")?.strip_prefix(PREFIX)?;
                metric.to_ascii_uppercase()
            }
        })
    }
}

/// The usage of a metric, by region and code.
pub(super) type Usages = BTreeMap<(Region, String), Counted>;

/// A usage and when it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    amount: Amount,
    as_of: Timestamp,
}

/// The usage of all metrics, each as it was last read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct UsageReport(BTreeMap<UsageMetric, Usages>);

impl UsageReport {
    /// Replaces what was read of a metric before.
    pub(super) fn learn(&mut self, metric: UsageMetric, usages: Usages) {
        self.0.insert(metric, usages);
    }

    /// Whether all of these metrics were read at some time.
    pub(super) fn has(&self, metrics: &BTreeSet<UsageMetric>) -> bool {
        metrics.iter().all(|metric| self.0.contains_key(metric))
    }

    /// Returns the usage of a quota: unknown where the service has none, which is no proof of zero,
    /// since a family has no usage there before it is used.
    pub(super) fn of(&self, region: &Region, code: &str, now: Timestamp) -> Usage {
        let metric = UsageMetric::of_code(code);
        let counted = self.0.get(&metric);
        let counted = counted.and_then(|all| all.get(&(region.clone(), code.to_owned())));
        match counted {
            Some(Counted { amount, as_of }) if now.duration_since(*as_of) <= LONGEST_AGE => {
                Usage::Known {
                    amount: *amount,
                    as_of: Some(*as_of),
                    range: None,
                }
            }
            Some(Counted { amount, as_of }) => Usage::Outdated {
                amount: *amount,
                as_of: *as_of,
            },
            None => Usage::Unknown,
        }
    }
}

/// Returns the newest usage that each series has.
pub(super) fn understand(metric: UsageMetric, series: &[TimeSeries]) -> Usages {
    let mut usages = Usages::new();
    for TimeSeries {
        metric: labels,
        resource,
        points,
    } in series
    {
        let Some((region, code)) = resource.labels.get("location").zip(metric.code(labels)) else {
            continue;
        };
        let newest = points.iter().max_by_key(|point| point.interval.end_time);
        let Some(newest) = newest else { continue };
        let number = newest.value.int64_value.as_ref();
        // Like all numbers of this kind of JSON, a zero may be left out.
        let number = number.map_or(Some(0), |text| text.number());
        let Some(amount) = number.and_then(|number| Amount::new(number as f64)) else {
            continue;
        };
        let as_of = newest.interval.end_time;
        let counted = Counted { amount, as_of };
        let place = (Region::from(&**region), code);
        // A series may go on on the next page, and one quota may have several limits.
        let known = usages.entry(place).or_insert(counted);
        if known.as_of < as_of {
            *known = counted;
        }
    }
    usages
}
