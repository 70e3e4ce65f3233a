//! Which quota a platform's GPUs count against, and what its presets hold.

use std::collections::BTreeMap;

use nebius_api::compute::v1::{Platform, PresetResources};

use super::quotas;
use crate::model::QuotaKey;

/// The platforms that the cloud has told of, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Platforms(BTreeMap<String, Known>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    gpu_quota: Option<QuotaKey>,
    presets: BTreeMap<String, Resources>,
}

/// What one virtual machine of a preset holds, as far as the cloud has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resources {
    pub(super) cpus: Option<u32>,
    pub(super) gpus: Option<u32>,
}

/// What a platform's machines are counted by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Counted {
    /// GPUs, in this quota.
    Gpus(QuotaKey),
    /// Virtual CPUs.
    Vcpus,
}

impl Platforms {
    /// Adds what a project's region says, in place of what was known of the same platforms.
    pub(super) fn learn(&mut self, platforms: &[Platform]) {
        for platform in platforms {
            let (Some(metadata), Some(spec)) = (&platform.metadata, &platform.spec) else {
                continue;
            };
            let known = self.0.entry(metadata.name.clone()).or_default();
            if !spec.gpu_count_quota_type.is_empty() {
                known.gpu_quota = Some(quotas::key(&spec.gpu_count_quota_type));
            }
            for preset in &spec.presets {
                if let Some(resources) = &preset.resources {
                    let resources = Resources::new(resources);
                    known.presets.insert(preset.name.clone(), resources);
                }
            }
        }
    }

    /// What the platform's machines are counted by, if that can be told.
    pub(super) fn counted(&self, platform: &str) -> Option<Counted> {
        let told = self
            .0
            .get(platform)
            .and_then(|known| known.gpu_quota.clone());
        told.map(Counted::Gpus).or_else(|| by_name(platform))
    }

    /// What the preset holds, if the cloud has told.
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
    }
}
