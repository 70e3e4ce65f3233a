//! The query of `GET /plan`.

use std::num::NonZeroU32;

use clap::Args;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::IntoParams;

use crate::http::error::Problem;
use crate::http::extract::format::Format;
use crate::oracle::PlanQuestion;

use super::filter::OfferFilter;
use super::limit;

/// The most GPUs that are placed together: more than any cluster has.
const MOST_GPUS: u32 = 1_000_000;

// No doc comments on these structs: clap would show them as the description of the command.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "see above")]
pub struct PlanQuery {
    #[command(flatten)]
    #[serde(flatten)]
    pub size: PlanSize,
    #[command(flatten)]
    #[serde(flatten)]
    pub filter: OfferFilter,
}

#[derive(Args, Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(default)]
#[expect(missing_docs, reason = "see above")]
pub struct PlanSize {
    /// Number of GPUs in all, from 1 to 1,000,000
    #[arg(long, required = true)]
    #[serde(deserialize_with = "gpus")]
    #[param(required, value_type = u32, minimum = 1, maximum = 1_000_000, example = 32)]
    pub gpus: Option<u32>,
    /// Maximum number of GPUs on one node
    #[arg(long)]
    #[serde(deserialize_with = "max_per_node")]
    #[param(minimum = 1, maximum = 1_000_000, example = 8)]
    pub max_per_node: Option<u32>,
    /// Maximum number of plans in the answer; default 100, 0 for all
    #[arg(long)]
    #[param(value_type = Option<u64>)]
    pub limit: Option<u32>,
    /// `json` or `table`; also by `Accept: text/plain`
    #[arg(skip)]
    #[param(inline)]
    pub format: Option<Format>,
}

fn gpus<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    number_of_gpus("gpus", deserializer)
}

fn max_per_node<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    number_of_gpus("max_per_node", deserializer)
}

fn number_of_gpus<'de, D: Deserializer<'de>>(
    key: &str,
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let count = text.parse().ok();
    let count = count.filter(|count| (1..=MOST_GPUS).contains(count));
    count.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "`{key}` is a whole number from 1 to {MOST_GPUS}, not `{text}`"
        ))
    })
}

impl PlanQuery {
    /// Converts the query into the oracle's terms.
    pub(in crate::http::offers) fn into_question(self) -> Result<PlanQuestion, Problem> {
        let Self { size, filter } = self;
        let gpus = size.gpus.and_then(NonZeroU32::new).ok_or_else(|| {
            let detail = "`gpus` is missing: the number of GPUs in all, such as `gpus=32`";
            Problem::bad("gpus", detail)
        })?;
        let mut offers = filter.into_question(None);
        let per_node = [size.max_per_node, offers.filter.max_gpu_count];
        offers.filter.max_gpu_count = per_node.into_iter().flatten().min();
        Ok(PlanQuestion {
            backends: offers.backends,
            filter: offers.filter,
            availability: offers.availability,
            gpus,
            limit: limit(size.limit),
        })
    }
}
