//! Metrics that are looked at for a scrape: the quotas, regions and catalogs as they are now.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;

use crate::model::{BackendName, CloudKind, Location};

use super::families::{
    BackendLabels, Gauges, LeasedLabels, ProviderLabels, RegionLabels, StateLabels,
};
use super::{Metrics, QuotaSeries, process, quota_series};

/// The numbers of one region at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct SnapshotSample {
    /// The region.
    pub location: Location,
    /// How old its snapshot is.
    pub age: Duration,
}

/// How many regions of a backend are in a state at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct RegionsSample {
    /// The backend.
    pub backend: BackendName,
    /// The state's word.
    pub state: &'static str,
    /// How many.
    pub count: usize,
}

/// The numbers of one cloud's catalog at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct CatalogSample {
    /// Which cloud.
    pub provider: CloudKind,
    /// How many offers it has.
    pub offers: usize,
    /// How many rows were damaged, and left out.
    pub damaged_rows: usize,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// Whether it is not what its source has now, because the last load failed.
    pub failing: bool,
}

/// The leases of one backend at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct LeasesSample {
    /// The backend.
    pub backend: BackendName,
    /// How many live.
    pub live: usize,
    /// How much they hold, by region, which is empty for a quota of all regions, and code.
    pub held: Vec<(String, Arc<str>, f64)>,
}

impl Metrics {
    /// Takes up the leases of all backends as they are now.
    pub fn set_leases(&self, all: impl IntoIterator<Item = LeasesSample>) {
        let _scrape = self.0.scrape.lock();
        let families = &self.0.families;
        families.leased.clear();
        for sample in all {
            let backend = sample.backend.to_string();
            for (region, code, amount) in sample.held {
                let labels = LeasedLabels {
                    backend: backend.clone(),
                    region,
                    code: code.to_string(),
                };
                // Where several containers limit a quota, the most that is held of one.
                let gauge = families.leased.get_or_create(&labels);
                gauge.set(gauge.get().max(amount));
            }
            let gauge = families.leases.get_or_create(&BackendLabels { backend });
            gauge.set(sample.live as f64);
        }
    }

    /// Returns the Prometheus text of all metrics, with these quotas, regions and catalogs as they
    /// are now.
    pub fn render<'a>(
        &self,
        quotas: impl Iterator<Item = &'a QuotaSeries> + Clone,
        snapshots: impl IntoIterator<Item = SnapshotSample>,
        regions: impl IntoIterator<Item = RegionsSample>,
        catalogs: impl IntoIterator<Item = CatalogSample>,
    ) -> String {
        let _scrape = self.0.scrape.lock();
        let families = &self.0.families;
        families.snapshot_age.clear();
        for sample in snapshots {
            let labels = RegionLabels {
                backend: sample.location.backend.to_string(),
                region: sample.location.region.to_string(),
            };
            families
                .snapshot_age
                .get_or_create(&labels)
                .set(sample.age.as_secs_f64());
        }
        families.regions.clear();
        for sample in regions {
            let labels = StateLabels {
                backend: sample.backend.to_string(),
                state: sample.state,
            };
            let gauge = families.regions.get_or_create(&labels);
            gauge.set(sample.count as f64);
        }
        for sample in catalogs {
            let labels = ProviderLabels {
                provider: sample.provider.to_string(),
            };
            let set = |family: &Gauges<ProviderLabels>, value| {
                family.get_or_create(&labels).set(value);
            };
            set(&families.catalog_offers, sample.offers as f64);
            set(&families.catalog_damaged_rows, sample.damaged_rows as f64);
            let loaded_at = sample.loaded_at.as_duration().as_secs_f64();
            set(&families.catalog_loaded_timestamp, loaded_at);
            set(&families.catalog_failing, f64::from(sample.failing));
        }
        let mut text = String::new();
        process::write(&mut text);
        quota_series::write(&mut text, quotas);
        encode(&mut text, &self.0.registry).expect("writing to a string does not fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::QuotaSample;
    use super::*;

    #[test]
    fn what_is_unknown_is_not_exported_and_what_is_gone_disappears() {
        let metrics = Metrics::new();
        let sample = |usage| QuotaSample {
            location: Location {
                backend: "aws".into(),
                region: "us-east-1".into(),
            },
            code: "L-417A185B".into(),
            name: "Running On-Demand P instances".into(),
            unit: "vcpu",
            market: "on_demand",
            limit: Some(192.0),
            usage,
            available: None,
        };
        let labels = r#"{backend="aws",region="us-east-1",code="L-417A185B",unit="vcpu",market="on_demand"}"#;
        let series = [QuotaSeries::new([sample(None)])];
        let text = metrics.render(series.iter(), [], [], []);
        assert!(text.contains(&format!("quota_oracle_quota_limit{labels} 192")));
        assert!(!text.contains("quota_oracle_quota_usage{"));
        assert!(
            !metrics
                .render([].iter(), [], [], [])
                .contains("quota_oracle_quota_limit{")
        );
    }
}
