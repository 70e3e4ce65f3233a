//! The quotas that Compute Engine does not list: of the newer GPU and machine families, and the
//! preemptible ones of the newer GPUs. Cloud Quotas has their limits, Cloud Monitoring their usage.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::quotas::is_granted;
use super::usage::UsageReport;
use super::wire::{DimensionsInfo, QuotaInfo};
use super::{increase, metrics};
use crate::clouds::kit::Sent;
use crate::model::{Amount, Limit, LimitSource, Native, Quota, QuotaState, Region, Scope};

/// A quota of Cloud Quotas that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FamilyQuota {
    /// Its id there.
    pub(super) id: &'static str,
    /// The code of its rows, or of the group that they are in.
    pub(super) code: &'static str,
    /// The dimension by which it is divided, besides the region.
    dimension: Option<&'static str>,
    /// The families whose rows are there even if the quota cannot be read.
    families: &'static [&'static str],
}

/// Families seen in projects in 2026; those that a project has besides are read as well.
const GPU_FAMILIES: &[&str] = &[
    "NVIDIA_H100",
    "NVIDIA_H100_MEGA",
    "NVIDIA_H200",
    "NVIDIA_B200",
    "NVIDIA_RTX_PRO_6000",
];

const VM_FAMILIES: &[&str] = &["C3D", "C4", "C4A", "C4D", "N4", "Z3", "H4D"];

const fn preemptible(id: &'static str, code: &'static str) -> FamilyQuota {
    FamilyQuota {
        id,
        code,
        dimension: None,
        families: &[],
    }
}

/// All that are read, that of GPU families first.
///
/// Their twins by zone say -1 and mean nothing.
pub(super) const FAMILY_QUOTAS: &[FamilyQuota] = &[
    FamilyQuota {
        id: "GPUS-PER-GPU-FAMILY-per-project-region",
        code: metrics::GPU_GROUP,
        dimension: Some("gpu_family"),
        families: GPU_FAMILIES,
    },
    FamilyQuota {
        id: "CPUS-PER-VM-FAMILY-per-project-region",
        code: metrics::CPU_GROUP,
        dimension: Some("vm_family"),
        families: VM_FAMILIES,
    },
    preemptible(
        "PREEMPTIBLE-NVIDIA-H100-GPUS-per-project-region",
        "PREEMPTIBLE_NVIDIA_H100_GPUS",
    ),
    preemptible(
        "PREEMPTIBLE-NVIDIA-H100-MEGA-GPUS-per-project-region",
        "PREEMPTIBLE_NVIDIA_H100_MEGA_GPUS",
    ),
    preemptible(
        "PREEMPTIBLE-NVIDIA-H200-GPUS-per-project-region",
        "PREEMPTIBLE_NVIDIA_H200_GPUS",
    ),
    preemptible(
        "PREEMPTIBLE-NVIDIA-B200-GPUS-per-project-region",
        "PREEMPTIBLE_NVIDIA_B200_GPUS",
    ),
    preemptible(
        "PREEMPTIBLE-NVIDIA-RTX-PRO-6000-GPUS-per-project-region",
        "PREEMPTIBLE_NVIDIA_RTX_PRO_6000_GPUS",
    ),
];

/// Returns the quota that the rows of this code come from.
pub(super) fn of_code(code: &str) -> Option<&'static FamilyQuota> {
    let code = metrics::family_of(code).map_or(code, |(group, _)| group);
    FAMILY_QUOTAS.iter().find(|quota| quota.code == code)
}

/// The place and time in which rows are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) project: &'a str,
    pub(super) region: &'a Region,
    pub(super) usage: &'a UsageReport,
    pub(super) now: Timestamp,
}

impl FamilyQuota {
    /// Returns a region's rows; none where the project has no such quota.
    pub(super) fn rows(&self, info: &Sent<QuotaInfo>, frame: Frame<'_>) -> Vec<Quota> {
        let families: Vec<Option<&str>> = match self.dimension {
            None => vec![None],
            Some(dimension) => {
                let rows = info.value.dimensions_infos.iter();
                let stated = rows.filter_map(|row| row.dimensions.get(dimension));
                let stated = stated
                    .map(String::as_str)
                    .filter(|family| is_family(family));
                let known = self.families.iter().copied();
                let all: BTreeSet<&str> = known.chain(stated).collect();
                all.into_iter().map(Some).collect()
            }
        };
        let rows = families.into_iter();
        rows.filter_map(|family| self.row(info, family, frame))
            .collect()
    }

    fn row(&self, info: &Sent<QuotaInfo>, family: Option<&str>, frame: Frame<'_>) -> Option<Quota> {
        let stated = resolve(&info.value, frame.region, self.dimension.zip(family));
        // A quota that the region does not have limits nothing there; of a family it is unknown.
        if stated.is_none() && family.is_none() {
            return None;
        }
        let limit = stated.map_or(Limit::Unknown, limit);
        let info_value = &info.value;
        let is_eligible = info_value.quota_increase_eligibility.as_ref();
        let adjustable =
            !info_value.is_fixed && is_eligible.is_some_and(|eligible| eligible.is_eligible);
        let page = info_value.service_request_quota_uri.as_deref();
        // The console shows no family that was never used, so that nobody could ask there.
        let page = page.filter(|page| is_granted(limit) && page.starts_with("https://"));
        Some(Quota {
            limit,
            adjustable: Some(adjustable),
            increase_url: page.filter(|_| adjustable).map(Into::into),
            increase_command: (adjustable && page.is_none()).then(|| {
                let family = self.dimension.zip(family);
                increase::command(frame.project, self.id, frame.region, family)
            }),
            native: stated.map(|row| Arc::new(native(row))),
            observed_at: info.at,
            ..self.unread_row(family, frame)
        })
    }

    /// Returns a region's rows where the quota could not be read: all that is known is that there
    /// may be some.
    pub(super) fn unread(&self, frame: Frame<'_>) -> Vec<Quota> {
        match self.dimension {
            None => vec![self.unread_row(None, frame)],
            Some(_) => {
                let families = self.families.iter();
                families
                    .map(|family| self.unread_row(Some(family), frame))
                    .collect()
            }
        }
    }

    fn unread_row(&self, family: Option<&str>, frame: Frame<'_>) -> Quota {
        let code = match family {
            Some(family) => metrics::family_code(self.code, family),
            None => self.code.to_owned(),
        };
        Quota {
            key: metrics::key(&code),
            name: metrics::name(&code),
            unit: metrics::unit(&code),
            market: metrics::market(&code),
            scope: Scope::Region,
            container: None,
            limit: Limit::Unknown,
            limit_source: LimitSource::Applied,
            usage: frame.usage.of(frame.region, &code, frame.now),
            adjustable: None,
            default: None,
            increase_url: None,
            increase_command: None,
            native: None,
            observed_at: None,
            state: QuotaState::Active,
        }
    }
}

/// Whether a text can be a family's name, so that it may stand in a code and a command.
fn is_family(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_known)
}

/// Returns the value for a region and a family, by the documented order: the most dimensions go
/// first, and a family before a region.
fn resolve<'a>(
    info: &'a QuotaInfo,
    region: &Region,
    family: Option<(&str, &str)>,
) -> Option<&'a DimensionsInfo> {
    let is_asked = |(dimension, value): (&String, &String)| match &**dimension {
        "region" => *value == *region.as_str(),
        other => family == Some((other, value)),
    };
    let applies = |row: &&DimensionsInfo| {
        let mut locations = row.applicable_locations.iter();
        locations.any(|location| *location == *region.as_str())
            && row.dimensions.iter().all(is_asked)
    };
    let rank = |row: &&DimensionsInfo| {
        let names = |dimension: &str| row.dimensions.contains_key(dimension);
        let names_family = family.is_some_and(|(dimension, _)| names(dimension));
        (row.dimensions.len(), names_family)
    };
    let rows = info.dimensions_infos.iter().filter(applies);
    // Of equals the first, as the service orders them.
    rows.rev().max_by_key(rank)
}

/// Returns the limit that a row states.
///
/// Zero is what JSON of this kind leaves out, so an empty `details` states it; a row without
/// `details` states nothing.
fn limit(row: &DimensionsInfo) -> Limit {
    let Some(details) = &row.details else {
        return Limit::Unknown;
    };
    let Some(value) = &details.value else {
        return Limit::Known(Amount::ZERO);
    };
    match value.number() {
        Some(-1 | i64::MAX) => Limit::Unlimited,
        Some(number) => Amount::new(number as f64).map_or(Limit::Unknown, Limit::Known),
        None => Limit::Unknown,
    }
}

fn native(row: &DimensionsInfo) -> Native {
    let value = row
        .details
        .as_ref()
        .and_then(|details| details.value.as_ref());
    let value = value.and_then(|value| value.number());
    let members = value.map(|value| ("details.value".to_owned(), value.to_string()));
    Native {
        unit_size: 1.0,
        members: members.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn info(rows: Value) -> QuotaInfo {
        serde_json::from_value(json!({"quotaId": "q", "dimensionsInfos": rows})).unwrap()
    }

    fn limit_of(rows: Value, family: &str) -> Option<Limit> {
        let info = info(rows);
        let region = Region::from("us-central1");
        resolve(&info, &region, Some(("gpu_family", family))).map(limit)
    }

    fn known(amount: u32) -> Option<Limit> {
        Some(Limit::Known(Amount::from(amount)))
    }

    const HERE: &str = "us-central1";

    #[test]
    fn an_empty_value_is_zero_and_an_absent_one_unknown() {
        let row = |details: Value| {
            let mut row = json!({"dimensions": {}, "applicableLocations": [HERE]});
            if !details.is_null() {
                row["details"] = details;
            }
            limit_of(json!([row]), "NVIDIA_H100")
        };
        assert_eq!(row(json!({})), known(0));
        assert_eq!(row(Value::Null), Some(Limit::Unknown));
        assert_eq!(row(json!({"value": "8"})), known(8));
        assert_eq!(row(json!({"value": 8})), known(8));
        assert_eq!(row(json!({"value": "-1"})), Some(Limit::Unlimited));
        let most = i64::MAX.to_string();
        assert_eq!(row(json!({"value": most})), Some(Limit::Unlimited));
        assert_eq!(row(json!({"value": "many"})), Some(Limit::Unknown));
        assert_eq!(row(json!({"value": "-5"})), Some(Limit::Unknown));
        assert_eq!(limit_of(json!([]), "NVIDIA_H100"), None);
    }

    #[test]
    fn the_row_with_the_most_dimensions_counts_whatever_the_order() {
        let row = |dimensions: Value, value: u32| {
            json!({"dimensions": dimensions, "details": {"value": value.to_string()},
                   "applicableLocations": [HERE, "europe-west4"]})
        };
        let mut rows = vec![
            row(json!({}), 1),
            row(json!({"region": HERE}), 2),
            row(json!({"gpu_family": "NVIDIA_H100"}), 3),
            row(json!({"region": HERE, "gpu_family": "NVIDIA_H100"}), 4),
            row(
                json!({"region": "europe-west4", "gpu_family": "NVIDIA_H100"}),
                9,
            ),
            row(
                json!({"zone": "us-central1-a", "gpu_family": "NVIDIA_H100"}),
                9,
            ),
        ];
        for expected in [4, 3, 2, 1] {
            let mut turned = rows.clone();
            for _ in 0..rows.len() {
                turned.rotate_left(1);
                let limit = limit_of(turned.clone().into(), "NVIDIA_H100");
                assert_eq!(limit, known(expected), "{turned:?}");
            }
            rows.remove(expected as usize - 1);
        }
        assert_eq!(limit_of(rows.into(), "NVIDIA_H100"), None);
    }

    #[test]
    fn a_row_of_other_locations_or_families_does_not_count() {
        let rows = json!([
            {"dimensions": {}, "details": {"value": "8"}, "applicableLocations": ["asia-east1"]},
            {"dimensions": {"gpu_family": "NVIDIA_H200"}, "details": {"value": "8"},
             "applicableLocations": [HERE]},
        ]);
        assert_eq!(limit_of(rows, "NVIDIA_H100"), None);
    }
}
