//! The rows of an account, region by region.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::quotas::ByRegion;
use crate::clouds::cloud::RegionChoice;
use crate::model::{Failure, FailureKind, Quota, Region, Snapshot};

/// Returns the rows of the regions that are wanted, each with those of the whole account.
pub(super) fn by_region(
    mut quotas: ByRegion,
    choice: &RegionChoice,
) -> BTreeMap<Region, Vec<Quota>> {
    let everywhere = quotas.remove(&None).unwrap_or_default();
    let is_wanted = |region: &Region| match choice {
        RegionChoice::Default | RegionChoice::All => true,
        RegionChoice::Listed(listed) => listed.contains(region),
    };
    let regions = quotas.into_iter().filter_map(|(region, mut rows)| {
        let region = region.filter(is_wanted)?;
        rows.extend(everywhere.iter().cloned());
        Some((region, rows))
    });
    regions.collect()
}

/// Returns a failure for each region that the operator lists and the tenant has no quotas in.
pub(super) fn without_quotas(
    choice: &RegionChoice,
    found: &BTreeMap<Region, Vec<Quota>>,
) -> Vec<Failure> {
    let RegionChoice::Listed(listed) = choice else {
        return Vec::new();
    };
    let missing = listed.iter().filter(|region| !found.contains_key(*region));
    let failure = |region| {
        let detail = format!("the tenant has no quotas in {region}");
        let hint = format!("enable {region} for the tenant, or leave it out of `regions`");
        Failure::new(FailureKind::NotEnabled, detail).with_hint(hint)
    };
    missing.map(failure).collect()
}

/// Returns the rows as snapshots.
pub(super) fn snapshots(regions: BTreeMap<Region, Vec<Quota>>) -> BTreeMap<Region, Arc<Snapshot>> {
    let regions = regions.into_iter();
    regions
        .map(|(region, rows)| (region, Arc::new(Snapshot::new(rows))))
        .collect()
}
