//! The filter of all questions about offers.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::model::{Availability, Market};
use crate::oracle::{Filter, NameOf, OfferQuestion, UnmatchedFilter};

// No doc comment: clap would show it as the description of the command.
#[derive(Args, Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(default)]
#[expect(missing_docs, reason = "see above")]
pub struct OfferFilter {
    /// Only offers of these backends
    #[arg(short, long)]
    #[param(example = json!(["aws"]))]
    pub backend: Vec<String>,
    /// Only offers in these regions
    #[arg(short, long)]
    #[param(example = json!(["us-east-1"]))]
    pub region: Vec<String>,
    /// Only these instance types
    #[arg(long)]
    #[param(example = json!(["p5.48xlarge"]))]
    pub instance_type: Vec<String>,
    /// Only offers with one of these GPU models, such as H100, or as a cloud names them, such as
    /// nvidia-h100-80gb
    #[arg(
        long,
        help = "Only offers with such GPUs, as dstack writes them: H100, H100:8, A100:40GB:1..4"
    )]
    #[param(example = json!(["H100"]))]
    pub gpu: Vec<String>,
    /// Only offers with GPUs of these vendors, such as nvidia
    #[arg(long)]
    #[param(example = json!(["nvidia"]))]
    pub gpu_vendor: Vec<String>,
    /// Minimum number of GPUs
    #[arg(long)]
    #[param(value_type = Option<u64>)]
    pub min_gpu_count: Option<u32>,
    /// Maximum number of GPUs
    #[arg(long)]
    #[param(value_type = Option<u64>)]
    pub max_gpu_count: Option<u32>,
    /// Minimum memory of each GPU, in GiB
    #[arg(long)]
    #[param(minimum = 0)]
    pub min_gpu_memory_gb: Option<f64>,
    /// Maximum memory of each GPU, in GiB
    #[arg(long)]
    #[param(minimum = 0)]
    pub max_gpu_memory_gb: Option<f64>,
    /// Minimum number of virtual CPUs
    #[arg(long)]
    #[param(value_type = Option<u64>)]
    pub min_cpus: Option<u32>,
    /// Minimum memory, in GiB
    #[arg(long)]
    #[param(minimum = 0)]
    pub min_memory_gb: Option<f64>,
    /// Only spot offers (true) or only on-demand offers (false)
    #[arg(long, num_args = 0..=1, default_missing_value = "true", help = "Only spot offers, or with `false` only on-demand offers")]
    pub spot: Option<bool>,
    /// Maximum price, in US dollars per hour
    #[arg(long)]
    #[param(minimum = 0)]
    pub max_price: Option<f64>,
    /// Only offers of these availabilities
    #[arg(long)]
    #[param(inline, example = json!(["available"]))]
    pub availability: Vec<AvailabilityName>,
}

/// An availability by its public name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are explained at `Availability`")]
pub enum AvailabilityName {
    Available,
    Unknown,
    NoQuota,
    NotAvailable,
}

impl From<AvailabilityName> for Availability {
    fn from(name: AvailabilityName) -> Self {
        match name {
            AvailabilityName::Available => Self::Available,
            AvailabilityName::Unknown => Self::Unknown,
            AvailabilityName::NoQuota => Self::NoQuota,
            AvailabilityName::NotAvailable => Self::NotAvailable,
        }
    }
}

impl OfferFilter {
    /// Converts the filter into a question about launches of so many instances, cheapest first.
    pub(in crate::http::offers) fn into_question(self, count: Option<u32>) -> OfferQuestion {
        let availability = self.availability.into_iter().map(Availability::from);
        OfferQuestion {
            backends: given(self.backend),
            filter: Filter {
                regions: given(self.region),
                instance_types: given(self.instance_type),
                gpus: given(self.gpu),
                gpu_vendors: given(self.gpu_vendor),
                min_gpu_count: self.min_gpu_count,
                max_gpu_count: self.max_gpu_count,
                min_gpu_memory_gb: self.min_gpu_memory_gb,
                max_gpu_memory_gb: self.max_gpu_memory_gb,
                min_cpus: self.min_cpus,
                min_memory_gb: self.min_memory_gb,
                market: self.spot.map(|spot| match spot {
                    true => Market::Spot,
                    false => Market::OnDemand,
                }),
                max_price: self.max_price,
            },
            count: count.unwrap_or(1),
            availability: given(availability.collect()),
            ..OfferQuestion::default()
        }
    }
}

/// Returns a filter's values, and nothing where it is not given.
fn given<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}

/// Returns the parameter that an unmatched filter was a value of.
pub(in crate::http::offers) fn parameter(unmatched: &UnmatchedFilter) -> &'static str {
    match unmatched.of {
        None => "backend",
        Some(NameOf::Region) => "region",
        Some(NameOf::InstanceType) => "instance_type",
        Some(NameOf::Gpu) => "gpu",
        Some(NameOf::GpuVendor) => "gpu_vendor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn names_are_those_of_the_contract() {
        for name in AvailabilityName::value_variants() {
            let word = serde_json::to_value(name).unwrap();
            assert_eq!(word, Availability::from(*name).as_str());
        }
        assert_eq!(
            AvailabilityName::value_variants().len(),
            Availability::VARIANTS.len()
        );
    }
}
