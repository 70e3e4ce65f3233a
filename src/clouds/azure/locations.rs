//! The locations of each of Microsoft's clouds.

use super::settings::AzureCloud;
use crate::clouds::cloud::RegionChoice;
use crate::model::{Region, suggest};

/// The locations that dstack looks for offers in (dstack 0.19, `azure/compute.py`). Azure enables
/// nearly all locations in every subscription, and most accounts use a few.
const DEFAULT: [&str; 16] = [
    "centralus",
    "eastus",
    "eastus2",
    "southcentralus",
    "westus2",
    "westus3",
    "canadacentral",
    "francecentral",
    "germanywestcentral",
    "northeurope",
    "swedencentral",
    "uksouth",
    "westeurope",
    "southeastasia",
    "eastasia",
    "brazilsouth",
];

/// The other physical locations of the public cloud that have prices (retail-prices API, June 2026),
/// without those of early access.
const MORE: [&str; 41] = [
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "brazilsoutheast",
    "canadaeast",
    "centralindia",
    "chilecentral",
    "francesouth",
    "germanynorth",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southindia",
    "spaincentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "ukwest",
    "westcentralus",
    "westindia",
    "westus",
];

const US_GOVERNMENT: [&str; 5] = [
    "usdodcentral",
    "usdodeast",
    "usgovarizona",
    "usgovtexas",
    "usgovvirginia",
];

const CHINA: [&str; 6] = [
    "chinaeast",
    "chinaeast2",
    "chinaeast3",
    "chinanorth",
    "chinanorth2",
    "chinanorth3",
];

/// The locations that the operator chose.
pub(super) fn resolve(cloud: AzureCloud, choice: &RegionChoice) -> Vec<Region> {
    let named = |names: &[&str]| names.iter().map(|name| Region::from(*name)).collect();
    match (choice, cloud) {
        (RegionChoice::Listed(regions), _) => regions.clone(),
        (RegionChoice::Default, AzureCloud::Public) => named(&DEFAULT),
        (RegionChoice::All, AzureCloud::Public) => [named(&DEFAULT), named(&MORE)].concat(),
        (_, AzureCloud::UsGovernment) => named(&US_GOVERNMENT),
        (_, AzureCloud::China) => named(&CHINA),
    }
}

/// Whether a text may be a location's name, as Azure Resource Manager spells it in paths.
pub(super) fn is_location(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_known)
}

/// Returns the location that a misspelt one may stand for, `East US` for `eastus` among them.
pub(super) fn closest(cloud: AzureCloud, region: &Region) -> Option<Region> {
    let known = resolve(cloud, &RegionChoice::All);
    let letters = |c: &char| c.is_ascii_alphanumeric();
    let name: String = region.as_str().chars().filter(letters).collect();
    let name = name.to_ascii_lowercase();
    if known.iter().any(|known| known.as_str() == name) {
        return (name != region.as_str()).then(|| Region::from(&*name));
    }
    suggest(&name, &known).map(Region::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_dstack_reads_and_all_is_the_clouds_own() {
        let count = |cloud, choice| {
            let mut regions = resolve(cloud, choice);
            regions.sort();
            regions.dedup();
            assert!(regions.iter().all(|region| is_location(region.as_str())));
            regions.len()
        };
        assert_eq!(count(AzureCloud::Public, &RegionChoice::Default), 16);
        assert_eq!(count(AzureCloud::Public, &RegionChoice::All), 57);
        assert_eq!(count(AzureCloud::UsGovernment, &RegionChoice::Default), 5);
        assert_eq!(count(AzureCloud::China, &RegionChoice::All), 6);
    }

    #[test]
    fn a_misspelt_location_is_told_from_others() {
        let closest = |name: &str| closest(AzureCloud::Public, &Region::from(name));
        assert_eq!(closest("East US 2"), Some("eastus2".into()));
        assert_eq!(closest("eastsu"), Some("eastus".into()));
        assert_eq!(closest("westeurope"), None);
        assert!(!is_location("East US"));
        assert!(!is_location("eastus' or 'x"));
    }
}
