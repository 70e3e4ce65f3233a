//! The platforms: the quota that their GPUs count against, what their presets hold, and whether
//! they can be had as spot instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use nebius_api::compute::v1::{Platform, PresetResources};

use super::quotas;
use crate::model::{Market, QuotaKey, Region, Restriction, RestrictionKind};

/// The platforms that the cloud has listed, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Platforms(BTreeMap<String, Known>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    gpu_quota: Option<QuotaKey>,
    presets: BTreeMap<String, Resources>,
    /// Whether a region's list allows it for preemptible machines, for the lists that tell.
    spot: BTreeMap<Region, bool>,
}

/// The resources of one virtual machine of a preset, as far as the cloud has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resources {
    pub(super) cpus: Option<u32>,
    pub(super) gpus: Option<u32>,
}

/// The unit in which a platform's machines are counted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Counted {
    /// GPUs, in this quota.
    Gpus(QuotaKey),
    /// Virtual CPUs.
    Vcpus,
}

impl Platforms {
    /// Adds what a project's region lists, in place of what was known of the same platforms.
    pub(super) fn learn(&mut self, region: Option<&Region>, platforms: &[Platform]) {
        for platform in platforms {
            let (Some(metadata), Some(spec)) = (&platform.metadata, &platform.spec) else {
                continue;
            };
            let known = self.0.entry(metadata.name.clone()).or_default();
            if !spec.gpu_count_quota_type.is_empty() {
                known.gpu_quota = Some(quotas::key(&spec.gpu_count_quota_type));
            }
            if let (Some(region), Some(status)) = (region, &platform.status) {
                let allowed = status.allowed_for_preemptibles;
                known.spot.insert(region.clone(), allowed);
            }
            for preset in &spec.presets {
                if let Some(resources) = &preset.resources {
                    let resources = Resources::new(resources);
                    known.presets.insert(preset.name.clone(), resources);
                }
            }
        }
    }

    /// Returns what the platform's machines are counted by, if that is known.
    pub(super) fn counted(&self, platform: &str) -> Option<Counted> {
        let Some(listed) = self.0.get(platform) else {
            return by_name(platform).filter(|_| is_documented(platform));
        };
        let told = listed.gpu_quota.clone();
        told.map(Counted::Gpus).or_else(|| by_name(platform))
    }

    /// Returns the types that a region does not offer as spot instances, though their quota may
    /// have room.
    pub(super) fn restrictions(&self) -> BTreeMap<Region, Vec<Restriction>> {
        let mut restrictions = BTreeMap::<Region, Vec<Restriction>>::new();
        for (platform, known) in &self.0 {
            let refusing = known.spot.iter().filter(|(_, allowed)| !**allowed);
            for (region, _) in refusing {
                let reason: Arc<str> = format!(
                    "Nebius does not offer {platform} as a preemptible machine in {region}"
                )
                .into();
                let restriction = |preset: &String| Restriction {
                    // The instance type as dstack composes it.
                    instance_type: format!("{platform} {preset}").into(),
                    market: Some(Market::Spot),
                    kind: RestrictionKind::NotOffered,
                    reason: Arc::clone(&reason),
                };
                let here = restrictions.entry(region.clone()).or_default();
                here.extend(known.presets.keys().map(restriction));
            }
        }
        restrictions
    }

    /// Returns what the preset holds, if the cloud has told.
    pub(super) fn resources(&self, platform: &str, preset: &str) -> Option<Resources> {
        self.0.get(platform)?.presets.get(preset).copied()
    }
}

impl Resources {
    fn new(resources: &PresetResources) -> Self {
        // A number that was never set arrives as zero.
        let told = |number| u32::try_from(number).ok().filter(|number| *number > 0);
        Self {
            cpus: told(resources.vcpu_count),
            gpus: told(resources.gpu_count),
        }
    }
}

/// The words that documented platforms have after `gpu-` or `cpu-` (docs.nebius.com, "Types of
/// virtual machines and GPUs"). Another platform counts by its name only where the cloud lists it.
const DOCUMENTED: [&str; 10] = [
    "h100", "h200", "b200", "b300", "gb200", "gb300", "l40s", "rtx6000", "d3", "e2",
];

fn is_documented(platform: &str) -> bool {
    let family = platform.split('-').nth(1);
    family.is_some_and(|family| DOCUMENTED.contains(&family))
}

/// The rule by which Nebius's own tool (nebius-physical-ai) guesses: the word after `gpu-` is
/// the family's.
fn by_name(platform: &str) -> Option<Counted> {
    if platform.starts_with("cpu-") {
        return Some(Counted::Vcpus);
    }
    let rest = platform.strip_prefix("gpu-")?;
    let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let family = &rest[..end.unwrap_or(rest.len())];
    let code = format!("compute.instance.gpu.{family}");
    (!family.is_empty()).then(|| Counted::Gpus(quotas::key(&code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nebius_api::common::v1::ResourceMetadata;
    use nebius_api::compute::v1::{PlatformSpec, PlatformStatus, Preset};

    #[test]
    fn a_platform_unheard_of_is_counted_by_its_name() {
        let code = |platform: &str| match Platforms::default().counted(platform) {
            Some(Counted::Gpus(key)) => key.code.to_string(),
            Some(Counted::Vcpus) => "vcpu".to_owned(),
            None => "unknown".to_owned(),
        };
        assert_eq!(code("gpu-h100-sxm"), "compute.instance.gpu.h100");
        assert_eq!(code("gpu-b200-sxm-a"), "compute.instance.gpu.b200");
        assert_eq!(code("gpu-gb300"), "compute.instance.gpu.gb300");
        assert_eq!(code("cpu-d3"), "vcpu");
        assert_eq!(code("gpu-"), "unknown");
        assert_eq!(code("tpu-x"), "unknown");
        assert_eq!(code("gpu-novel-sxm"), "unknown");
        assert_eq!(code("cpu-z9"), "unknown");
    }

    #[test]
    fn a_platform_is_restricted_only_where_its_region_says_so() {
        let listed = |status: Option<bool>| Platform {
            metadata: Some(ResourceMetadata {
                name: "gpu-h100-sxm".to_owned(),
                ..Default::default()
            }),
            spec: Some(PlatformSpec {
                presets: vec![Preset {
                    name: "8gpu-128vcpu-1600gb".to_owned(),
                    resources: Some(PresetResources::default()),
                    allow_gpu_clustering: false,
                }],
                ..Default::default()
            }),
            status: status.map(|allowed_for_preemptibles| PlatformStatus {
                allowed_for_preemptibles,
            }),
        };
        let regions = ["allowed", "refused", "untold"].map(Region::from);
        let mut platforms = Platforms::default();
        for (region, status) in regions.iter().zip([Some(true), Some(false), None]) {
            platforms.learn(Some(region), &[listed(status)]);
        }
        platforms.learn(None, &[listed(Some(false))]);
        let restrictions = platforms.restrictions();
        assert_eq!(restrictions.keys().collect::<Vec<_>>(), [&regions[1]]);
        let restriction = &restrictions["refused"][0];
        assert!(restriction.applies_to("gpu-h100-sxm 8gpu-128vcpu-1600gb", Market::Spot));
        assert!(!restriction.applies_to("gpu-h100-sxm 8gpu-128vcpu-1600gb", Market::OnDemand));
        assert_eq!(restriction.kind, RestrictionKind::NotOffered);

        platforms.learn(Some(&regions[1]), &[listed(Some(true))]);
        assert!(platforms.restrictions().is_empty());
    }
}
