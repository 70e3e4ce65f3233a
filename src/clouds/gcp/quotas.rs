//! Compute Engine's quota rows as quotas of the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::wire::{MetricRow, ProjectRow, RegionRow};
use super::{increase, metrics};
use crate::clouds::cloud::RegionChoice;
use crate::clouds::kit::Sent;
use crate::model::{
    Failure, FailureKind, Limit, LimitSource, Moment, Native, Quota, QuotaState, Region, Scope,
    Snapshot, Usage,
};

/// Quotas by region.
pub(super) type ByRegion = BTreeMap<Region, Vec<Quota>>;

/// The quotas that demands look for in a region; where its quotas could not be loaded, each of
/// them is there and its limit unknown, since a quota that a region does not list limits nothing.
const LOOKED_FOR: &[&str] = &[
    metrics::PREEMPTIBLE_CPUS,
    "CPUS",
    "E2_CPUS",
    "INSTANCES",
    "PREEMPTIBLE_NVIDIA_A100_GPUS",
    "PREEMPTIBLE_NVIDIA_A100_80GB_GPUS",
    "PREEMPTIBLE_NVIDIA_L4_GPUS",
    "PREEMPTIBLE_NVIDIA_T4_GPUS",
    "PREEMPTIBLE_NVIDIA_V100_GPUS",
    "PREEMPTIBLE_NVIDIA_P100_GPUS",
    "PREEMPTIBLE_NVIDIA_P4_GPUS",
    "PREEMPTIBLE_NVIDIA_K80_GPUS",
];

/// The global quotas that demands look for.
const LOOKED_FOR_GLOBALLY: [&str; 2] = [metrics::GPUS_ALL_REGIONS, metrics::CPUS_ALL_REGIONS];

/// Returns a region's quotas.
pub(super) fn of_region(project: &str, row: &Sent<RegionRow>) -> Vec<Quota> {
    let mut quotas = rows(project, &row.value.quotas, Scope::Region, row.at);
    if row.value.quota_status_warning.is_some() {
        for code in LOOKED_FOR {
            if !quotas.iter().any(|quota| *quota.key.code == **code) {
                quotas.push(unknown(project, code, Scope::Region, row.at));
            }
        }
    }
    quotas
}

/// Returns the failure that stands for a region whose quotas could not be loaded.
pub(super) fn warning(row: &RegionRow) -> Option<Failure> {
    let warning = row.quota_status_warning.as_ref()?;
    let code = warning.code.as_deref().unwrap_or("without a code");
    let known = code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let code = if known { code } else { "with an odd code" };
    let detail = format!(
        "Compute Engine could not load all quotas of {} ({code})",
        row.name
    );
    Some(Failure::new(FailureKind::Unavailable, detail))
}

/// Returns the project's quotas that hold for all regions together.
pub(super) fn global(project: &str, row: &Sent<ProjectRow>) -> Vec<Quota> {
    let is_global = |row: &&MetricRow| metrics::is_global(&row.metric);
    let global: Vec<_> = row.value.quotas.iter().filter(is_global).cloned().collect();
    rows(project, &global, Scope::Global, row.at)
}

/// Returns the global quotas of a project that could not be asked.
pub(super) fn global_unread(project: &str) -> Vec<Quota> {
    let codes = LOOKED_FOR_GLOBALLY.iter();
    codes
        .map(|code| unknown(project, code, Scope::Global, None))
        .collect()
}

fn rows(project: &str, rows: &[MetricRow], scope: Scope, at: Option<Moment>) -> Vec<Quota> {
    let mut quotas: Vec<Quota> = Vec::with_capacity(rows.len());
    for row in rows {
        let known = quotas.iter().any(|quota| *quota.key.code == *row.metric);
        if row.metric.is_empty() || known {
            continue;
        }
        quotas.push(quota(project, row, scope, at));
    }
    quotas
}

fn unknown(project: &str, code: &str, scope: Scope, at: Option<Moment>) -> Quota {
    let row = MetricRow {
        metric: code.to_owned(),
        limit: None,
        usage: None,
    };
    quota(project, &row, scope, at)
}

fn quota(project: &str, row: &MetricRow, scope: Scope, at: Option<Moment>) -> Quota {
    let code = &*row.metric;
    let amount = row.usage.and_then(|usage| metrics::amount(code, usage));
    let usage = amount.map(|amount| Usage::Known {
        amount,
        as_of: None,
        range: None,
    });
    Quota {
        key: metrics::key(code),
        name: metrics::name(code),
        unit: metrics::unit(code),
        market: metrics::market(code),
        scope,
        container: None,
        limit: metrics::limit(code, row.limit),
        limit_source: LimitSource::Applied,
        usage: usage.unwrap_or(Usage::Unknown),
        adjustable: None,
        default: None,
        increase_url: Some(increase::page(project, code)),
        increase_command: None,
        native: Some(Arc::new(native(row))),
        observed_at: at,
        state: QuotaState::Active,
    }
}

fn native(row: &MetricRow) -> Native {
    let members = [("limit", row.limit), ("usage", row.usage)];
    let members = members
        .into_iter()
        .filter_map(|(path, number)| Some((path.to_owned(), number?.to_string())));
    Native {
        unit_size: metrics::unit_size(&row.metric),
        members: members.collect(),
    }
}

/// Whether the operator wants a region.
pub(super) fn is_wanted(choice: &RegionChoice, region: &Region) -> bool {
    match choice {
        RegionChoice::Default | RegionChoice::All => true,
        RegionChoice::Listed(listed) => listed.contains(region),
    }
}

/// Returns a failure for each region that the operator lists and the project does not have.
pub(super) fn without_quotas(choice: &RegionChoice, found: &ByRegion) -> Vec<Failure> {
    let RegionChoice::Listed(listed) = choice else {
        return Vec::new();
    };
    let missing = listed.iter().filter(|region| !found.contains_key(*region));
    let failure = |region| {
        let detail = format!("the project has no region {region}");
        let hint = format!("leave {region} out of `regions`, or correct its name");
        Failure::new(FailureKind::NotEnabled, detail).with_hint(hint)
    };
    missing.map(failure).collect()
}

/// Returns the rows as snapshots.
pub(super) fn snapshots(regions: ByRegion) -> BTreeMap<Region, Arc<Snapshot>> {
    let regions = regions.into_iter();
    regions
        .map(|(region, rows)| (region, Arc::new(Snapshot::new(rows))))
        .collect()
}

/// Whether a quota's limit is known to be more than nothing.
pub(super) fn is_granted(limit: Limit) -> bool {
    match limit {
        Limit::Known(limit) => limit > crate::model::Amount::ZERO,
        Limit::Unlimited => true,
        Limit::Inherited | Limit::Unknown => false,
    }
}
