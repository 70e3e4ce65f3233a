//! The regions of the `aws` partition, and which of them every account has.
//!
//! From the partition data of the AWS SDKs (partitions.json). Regions launched before 20 March
//! 2019 are enabled in every account and cannot be disabled; the others need an opt-in (AWS
//! Account Management Reference Guide, "Enable or disable AWS Regions in your account").

use crate::clouds::cloud::RegionChoice;
use crate::model::{Region, suggest};

/// Enabled in every account.
pub(super) const ENABLED_BY_DEFAULT: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
];

/// Enabled by an account that opts in.
const OPT_IN: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// The regions that the operator chose.
pub(super) fn resolve_regions(choice: &RegionChoice) -> Vec<Region> {
    let named = |names: &[&str]| names.iter().map(|name| Region::from(*name)).collect();
    match choice {
        RegionChoice::Default => named(&ENABLED_BY_DEFAULT),
        RegionChoice::All => [named(&ENABLED_BY_DEFAULT), named(&OPT_IN)].concat(),
        RegionChoice::Listed(regions) => regions.clone(),
    }
}

/// How the regions of the partitions begin in which every region is enabled: China, GovCloud, the
/// European Sovereign Cloud, and those of intelligence services.
const WITHOUT_OPT_IN: [&str; 5] = ["cn-", "us-gov-", "eusc-", "us-iso", "eu-iso"];

/// Whether an account may have this region disabled.
///
/// All regions but the oldest: one that is younger than this program is among them.
pub(super) fn needs_opt_in(region: &Region) -> bool {
    let region = region.as_str();
    !ENABLED_BY_DEFAULT.contains(&region)
        && !WITHOUT_OPT_IN.iter().any(|start| region.starts_with(start))
}

/// The region that a misspelt one may stand for. One that is none of the partition's may also be
/// younger than this program.
pub(super) fn closest_region(region: &Region) -> Option<Region> {
    let known = resolve_regions(&RegionChoice::All);
    let is_known = known.contains(region) || !needs_opt_in(region);
    let meant = suggest(region.as_str(), &known).filter(|_| !is_known);
    meant.map(Region::from)
}

/// The address of a quota's page in the console of the region's partition; none in the partitions
/// of intelligence services, whose consoles are not public.
pub(super) fn increase_url(region: &Region, service: &str, code: &str) -> Option<String> {
    let console = match region.as_str() {
        cn if cn.starts_with("cn-") => "console.amazonaws.cn",
        gov if gov.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        eusc if eusc.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        iso if iso.starts_with("us-iso") || iso.starts_with("eu-iso") => return None,
        _ => "console.aws.amazon.com",
    };
    let page = format!("servicequotas/home/services/{service}/quotas/{code}");
    Some(format!("https://{region}.{console}/{page}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_region_is_told_from_others() {
        let closest = |region: &str| closest_region(&Region::from(region));
        assert_eq!(closest("us-esat-1"), Some("us-east-1".into()));
        for right in ["us-east-1", "mx-central-1", "cn-north-1", "moon"] {
            assert_eq!(closest(right), None, "{right}");
        }
    }

    #[test]
    fn a_quota_is_raised_in_the_console_of_its_partition() {
        for (region, console) in [
            ("us-east-1", Some("us-east-1.console.aws.amazon.com")),
            ("mx-central-1", Some("mx-central-1.console.aws.amazon.com")),
            (
                "cn-northwest-1",
                Some("cn-northwest-1.console.amazonaws.cn"),
            ),
            (
                "us-gov-west-1",
                Some("us-gov-west-1.console.amazonaws-us-gov.com"),
            ),
            (
                "eusc-de-east-1",
                Some("eusc-de-east-1.console.amazonaws-eusc.eu"),
            ),
            ("us-isob-east-1", None),
            ("eu-isoe-west-1", None),
        ] {
            let path = "/servicequotas/home/services/ec2/quotas/L-417A185B";
            let expected = console.map(|console| format!("https://{console}{path}"));
            let url = increase_url(&Region::from(region), "ec2", "L-417A185B");
            assert_eq!(url, expected, "{region}");
        }
    }

    #[test]
    fn only_the_oldest_regions_and_other_partitions_need_no_opt_in() {
        let needs = |region: &str| needs_opt_in(&Region::from(region));
        let listed = resolve_regions(&RegionChoice::All);
        let opt_in = listed.iter().filter(|region| needs_opt_in(region));
        assert_eq!((listed.len(), opt_in.count()), (34, 17));
        assert!(["ap-southeast-9", "sa-west-1"].map(needs) == [true, true]);
        let others = [
            "cn-north-1",
            "us-gov-west-1",
            "eusc-de-east-1",
            "us-isob-east-1",
        ];
        assert!(others.iter().all(|region| !needs(region)));
    }
}
