//! The series of quotas, as text that is kept until a backend's quotas change.
//!
//! A hundred accounts have a hundred thousand of them, so they are not kept in the registry, which
//! would write every label anew at every scrape.

use std::fmt::Write;
use std::sync::Arc;

use crate::model::Location;

/// The numbers of one quota; what is unknown is not exported.
#[derive(Clone, Debug)]
pub struct QuotaSample {
    /// Where the quota holds.
    pub location: Location,
    /// The cloud's code.
    pub code: Arc<str>,
    /// The name that people use.
    pub name: Arc<str>,
    /// The unit of the numbers.
    pub unit: &'static str,
    /// Which launches draw on it.
    pub market: &'static str,
    /// The limit.
    pub limit: Option<f64>,
    /// The usage.
    pub usage: Option<f64>,
    /// The rest.
    pub available: Option<f64>,
}

/// The series of some quotas, as they are exported.
#[derive(Clone, Debug, Default)]
pub struct QuotaSeries {
    families: [String; 4],
}

/// The family that names quotas, so that a rewording starts no new series of numbers.
const INFO: &str = "quota_oracle_quota_info";

/// The families of quotas, by name and help text.
const FAMILIES: [(&str, &str); 4] = [
    ("quota_oracle_quota_limit", "Limit of a quota, in its unit"),
    ("quota_oracle_quota_usage", "Usage of a quota, in its unit"),
    (
        "quota_oracle_quota_available",
        "What is left of a quota, in its unit",
    ),
    (INFO, "Name of a quota; always 1"),
];

impl QuotaSeries {
    /// The series of these quotas.
    pub fn new(samples: impl IntoIterator<Item = QuotaSample>) -> Self {
        let mut series = Self::default();
        for sample in samples {
            let labels = format!(
                "{{backend=\"{}\",region=\"{}\",code=\"{}\",unit=\"{}\",market=\"{}\"}}",
                escaped(sample.location.backend.as_str()),
                escaped(sample.location.region.as_str()),
                escaped(&sample.code),
                sample.unit,
                sample.market,
            );
            let _ = writeln!(
                series.families[3],
                "{INFO}{{backend=\"{}\",region=\"{}\",code=\"{}\",name=\"{}\"}} 1",
                escaped(sample.location.backend.as_str()),
                escaped(sample.location.region.as_str()),
                escaped(&sample.code),
                escaped(&sample.name),
            );
            let values = [sample.limit, sample.usage, sample.available];
            for (place, value) in values.into_iter().enumerate() {
                if let Some(value) = value {
                    let name = FAMILIES[place].0;
                    // Writing to a string does not fail.
                    let _ = writeln!(series.families[place], "{name}{labels} {value:?}");
                }
            }
        }
        series
    }
}

/// Writes the families with the series of all backends.
pub(super) fn write<'a>(text: &mut String, all: impl Iterator<Item = &'a QuotaSeries> + Clone) {
    for (place, (name, help)) in FAMILIES.into_iter().enumerate() {
        let _ = write!(text, "# HELP {name} {help}.\n# TYPE {name} gauge\n");
        for series in all.clone() {
            text.push_str(&series.families[place]);
        }
    }
}

/// A label's value, escaped as both text formats want it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
