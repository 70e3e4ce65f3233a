//! The queries about offers, which `quota-oracle offers` and `plan` take as flags.

mod filter;
mod plan;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::error::Problem;
use crate::http::extract::format::Format;
use crate::oracle::{Cursor, OfferQuestion, Sort};

pub(super) use filter::parameter;
pub use filter::{AvailabilityName, OfferFilter};
pub use plan::{PlanQuery, PlanSize};

/// The most instances of one offer that are judged together.
pub(super) const MOST_INSTANCES: u32 = 10_000;

/// Number of offers on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 100;

// No doc comments on these structs: clap would show them as the description of the command.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "see above")]
pub struct OffersQuery {
    #[command(flatten)]
    #[serde(flatten)]
    pub filter: OfferFilter,
    #[command(flatten)]
    #[serde(flatten)]
    pub page: PageQuery,
}

#[derive(Args, Clone, Debug, Default, Deserialize, IntoParams, Serialize)]
#[into_params(parameter_in = Query)]
#[serde(default)]
#[expect(missing_docs, reason = "see above")]
pub struct PageQuery {
    /// Number of instances launched together, from 1 to 10,000; default 1
    #[arg(long)]
    #[serde(deserialize_with = "instances")]
    #[param(minimum = 1, maximum = 10_000)]
    pub count: Option<u32>,
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

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::http) struct SummaryQuery {
    /// Number of instances launched together, from 1 to 10,000; default 1
    #[serde(deserialize_with = "instances")]
    #[param(minimum = 1, maximum = 10_000)]
    pub(in crate::http) count: Option<u32>,
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

impl OffersQuery {
    /// Converts the query into the oracle's terms.
    pub(super) fn into_question(self) -> Result<OfferQuestion, Problem> {
        let Self { filter, page } = self;
        let sort = page.sort.map(Sort::from).unwrap_or_default();
        let after = page.cursor.map(|text| {
            Cursor::parse(&text, sort).ok_or_else(|| {
                let detail = "`cursor` is not one that an answer in this order has given";
                Problem::bad("cursor", detail)
            })
        });
        Ok(OfferQuestion {
            sort,
            limit: limit(page.limit),
            after: after.transpose()?,
            ..filter.into_question(page.count)
        })
    }
}

/// Returns how many answers are wanted; nothing where all are.
fn limit(asked: Option<u32>) -> Option<usize> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    (limit > 0).then_some(limit as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_contract() {
        for name in SortName::value_variants() {
            let word = serde_json::to_value(name).unwrap();
            assert_eq!(word, Sort::from(*name).as_str());
        }
        assert_eq!(SortName::value_variants().len(), Sort::ALL.len());
    }
}
