//! The query of `GET /offers`, which `quota-oracle offers` takes as flags.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::error::Problem;
use crate::http::extract::format::Format;
use crate::model::{Availability, Market};
use crate::oracle::{Cursor, Filter, NameOf, OfferQuestion, Sort, UnmatchedFilter};

/// The most instances of one offer that are judged together.
pub(super) const MOST_INSTANCES: u32 = 10_000;

/// Number of offers on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 100;

// No doc comment: clap would show it as the description of the command.
#[derive(Args, Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(default)]
#[expect(missing_docs, reason = "see above")]
pub struct OffersQuery {
    /// Only offers of these backends
    #[arg(long)]
    #[param(example = json!(["aws"]))]
    pub backend: Vec<String>,
    /// Only offers in these regions
    #[arg(long)]
    #[param(example = json!(["us-east-1"]))]
    pub region: Vec<String>,
    /// Only these instance types
    #[arg(long)]
    #[param(example = json!(["p5.48xlarge"]))]
    pub instance_type: Vec<String>,
    /// Only offers with one of these GPU models, such as H100
    #[arg(long)]
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
    /// Minimum number of virtual CPUs
    #[arg(long)]
    #[param(value_type = Option<u64>)]
    pub min_cpus: Option<u32>,
    /// Minimum memory, in GiB
    #[arg(long)]
    #[param(minimum = 0)]
    pub min_memory_gb: Option<f64>,
    /// Only spot offers (true) or only on-demand offers (false)
    #[arg(long)]
    pub spot: Option<bool>,
    /// Maximum price, in US dollars per hour
    #[arg(long)]
    #[param(minimum = 0)]
    pub max_price: Option<f64>,
    /// Number of instances launched together, from 1 to 10,000; default 1
    #[arg(long)]
    #[serde(deserialize_with = "instances")]
    #[param(minimum = 1, maximum = 10_000)]
    pub count: Option<u32>,
    /// Only offers of these availabilities
    #[arg(long)]
    #[param(inline, example = json!(["available"]))]
    pub availability: Vec<AvailabilityName>,
    /// Order: by price (cheapest first, the default) or launchable (those that fit most often first)
    #[arg(long)]
    #[param(inline)]
    pub sort: Option<SortName>,
    /// Maximum number of offers in the answer; default 100, 0 for all
    #[arg(long)]
    #[param(value_type = Option<u64>)]
    pub limit: Option<u32>,
    /// The next cursor of the previous answer, to continue from there
    #[arg(long)]
    pub cursor: Option<String>,
    /// `json` or `table`; also by `Accept: text/plain`
    #[arg(skip)]
    #[param(inline)]
    pub format: Option<Format>,
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

/// An order of offers by its public name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are explained at `Sort`")]
pub enum SortName {
    Price,
    Launchable,
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

impl From<SortName> for Sort {
    fn from(name: SortName) -> Self {
        match name {
            SortName::Price => Self::Price,
            SortName::Launchable => Self::Launchable,
        }
    }
}

fn instances<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let count = text.parse().ok();
    let count = count.filter(|count| (1..=MOST_INSTANCES).contains(count));
    count.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "`count` is a whole number from 1 to {MOST_INSTANCES}, not `{text}`"
        ))
    })
}

/// Returns the parameter that an unmatched filter was a value of.
pub(super) fn parameter(unmatched: &UnmatchedFilter) -> &'static str {
    match unmatched.of {
        None => "backend",
        Some(NameOf::Region) => "region",
        Some(NameOf::InstanceType) => "instance_type",
        Some(NameOf::Gpu) => "gpu",
        Some(NameOf::GpuVendor) => "gpu_vendor",
    }
}

impl OffersQuery {
    /// Converts the query into the oracle's terms.
    pub(super) fn into_question(self) -> Result<OfferQuestion, Problem> {
        let sort = self.sort.map(Sort::from).unwrap_or_default();
        let after = self.cursor.map(|text| {
            Cursor::parse(&text, sort).ok_or_else(|| {
                let detail = "`cursor` is not one that an answer in this order has given";
                Problem::bad("cursor", detail)
            })
        });
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        let availability = self.availability.into_iter().map(Availability::from);
        Ok(OfferQuestion {
            backends: given(self.backend),
            filter: Filter {
                regions: given(self.region),
                instance_types: given(self.instance_type),
                gpus: given(self.gpu),
                gpu_vendors: given(self.gpu_vendor),
                min_gpu_count: self.min_gpu_count,
                max_gpu_count: self.max_gpu_count,
                min_gpu_memory_gb: self.min_gpu_memory_gb,
                min_cpus: self.min_cpus,
                min_memory_gb: self.min_memory_gb,
                market: self.spot.map(|spot| match spot {
                    true => Market::Spot,
                    false => Market::OnDemand,
                }),
                max_price: self.max_price,
            },
            count: self.count.unwrap_or(1),
            availability: given(availability.collect()),
            sort,
            limit: (limit > 0).then_some(limit as usize),
            after: after.transpose()?,
        })
    }
}

/// Returns a filter's values, and nothing where it is not given.
fn given<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
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
        for name in SortName::value_variants() {
            let word = serde_json::to_value(name).unwrap();
            assert_eq!(word, Sort::from(*name).as_str());
        }
        assert_eq!(
            AvailabilityName::value_variants().len(),
            Availability::VARIANTS.len()
        );
        assert_eq!(SortName::value_variants().len(), Sort::ALL.len());
    }
}
