//! What a query string asks of the catalog.

use crate::model::{Availability, Market};
use crate::oracle::{Cursor, Filter, NameOf, OfferQuestion, Sort, UnmatchedFilter};

use crate::http::error::Problem;
use crate::http::extract::query::Query;

/// The most instances of one offer that are judged together.
pub(super) const MOST_INSTANCES: u32 = 10_000;

/// How many offers are answered unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Every query parameter.
pub(super) const PARAMETERS: [&str; 18] = [
    "backend",
    "region",
    "instance_type",
    "gpu",
    "gpu_vendor",
    "min_gpu_count",
    "max_gpu_count",
    "min_gpu_memory_gb",
    "min_cpus",
    "min_memory_gb",
    "spot",
    "max_price",
    "count",
    "availability",
    "sort",
    "limit",
    "cursor",
    "format",
];

/// The query parameter that an unknown name was a value of.
pub(super) fn parameter(unknown: &UnmatchedFilter) -> &'static str {
    match unknown.of {
        None => "backend",
        Some(NameOf::Region) => "region",
        Some(NameOf::InstanceType) => "instance_type",
        Some(NameOf::Gpu) => "gpu",
        Some(NameOf::GpuVendor) => "gpu_vendor",
    }
}

/// The question that a query asks.
pub(super) fn question(query: &Query) -> Result<OfferQuestion, Problem> {
    let any = 0..=u32::MAX;
    let filter = Filter {
        regions: query.names("region")?,
        instance_types: query.names("instance_type")?,
        gpus: query.names("gpu")?,
        gpu_vendors: query.names("gpu_vendor")?,
        min_gpu_count: query.whole("min_gpu_count", any.clone())?,
        max_gpu_count: query.whole("max_gpu_count", any.clone())?,
        min_gpu_memory_gb: query.amount("min_gpu_memory_gb")?,
        min_cpus: query.whole("min_cpus", any.clone())?,
        min_memory_gb: query.amount("min_memory_gb")?,
        market: query.word(
            "spot",
            &[("true", Market::Spot), ("false", Market::OnDemand)],
        )?,
        max_price: query.amount("max_price")?,
    };
    let sort = query.word("sort", &Sort::ALL.map(|sort| (sort.as_str(), sort)))?;
    let sort = sort.unwrap_or_default();
    let after = query.one("cursor")?.map(|text| {
        Cursor::parse(text, sort).ok_or_else(|| {
            let detail = "`cursor` is not one that an answer in this order has given";
            Problem::bad("cursor", detail)
        })
    });
    let limit = query.whole("limit", any)?.unwrap_or(DEFAULT_LIMIT);
    Ok(OfferQuestion {
        backends: query.names("backend")?,
        filter,
        count: query.whole("count", 1..=MOST_INSTANCES)?.unwrap_or(1),
        availability: query.words(
            "availability",
            &Availability::ALL.map(|one| (one.as_str(), one)),
        )?,
        sort,
        limit: (limit > 0).then_some(limit as usize),
        after: after.transpose()?,
    })
}
