//! Which quotas launching a virtual machine draws on.

use super::platforms::{Counted, Platforms};
use super::quotas::key;
use crate::model::{Amount, Demand, Draw, Instance, Market};

/// One public address is two allocations: the public one and the private one behind it
/// (nebius-physical-ai's guide).
const ALLOCATIONS_PER_PUBLIC_ADDRESS: u32 = 2;

/// dstack creates disks of this kind.
const DISK_SIZE: &str = "compute.disk.size.network-ssd";

/// Returns the demand of launching `instance`, by what is known of the platforms.
pub(super) fn demand(platforms: &Platforms, instance: &Instance, market: Market) -> Demand {
    // The instance type as dstack composes it.
    let (platform, preset) = match instance.instance_type.split_once(' ') {
        Some(parts) => parts,
        None => (&*instance.instance_type, ""),
    };
    let counted = platforms.counted(platform);
    let told = platforms.resources(platform, preset);
    let mut draws = Vec::new();
    match (counted, market) {
        // Spot machines with GPUs are counted as machines, however many GPUs they hold.
        (Some(Counted::Gpus(_)), Market::Spot) => {
            draws.push(one("compute.instance.preemptible.count"));
        }
        // Nebius documents no quota of preemptible machines without GPUs, so none may refuse them.
        (Some(Counted::Vcpus), Market::Spot) => {
            let what = &instance.instance_type;
            return unmapped(format!(
                "Nebius does not document which quotas a spot instance of {what} draws on"
            ));
        }
        (Some(Counted::Gpus(quota)), Market::OnDemand) => {
            let gpus = instance.gpu.as_ref().map(|gpu| gpu.count);
            let amount = gpus.or(told.and_then(|told| told.gpus)).map(Amount::from);
            draws.push(Draw { quota, amount });
            draws.push(one("compute.instance.count"));
        }
        (Some(Counted::Vcpus), Market::OnDemand) => {
            let cpus = instance.cpus.or(told.and_then(|told| told.cpus));
            draws.push(Draw {
                quota: key("compute.instance.non-gpu.vcpu"),
                amount: cpus.map(Amount::from),
            });
            draws.push(one("compute.instance.count"));
        }
        (None, _) => {
            return unmapped(format!(
                "no quota is known for the platform {platform} of Nebius"
            ));
        }
    }
    draws.push(one("compute.disk.count"));
    draws.extend(extras(instance));
    Demand {
        draws,
        unmapped: None,
    }
}

/// The demand of a launch of which no quota is known: no verdict on it can be `short`.
fn unmapped(why: String) -> Demand {
    Demand {
        draws: Vec::new(),
        unmapped: Some(why),
    }
}

/// Adds the draws on disks and addresses, where the caller wants them judged.
fn extras(instance: &Instance) -> Vec<Draw> {
    let mut draws = Vec::new();
    if let Some(gib) = instance.disk_gb {
        draws.push(Draw {
            quota: key(DISK_SIZE),
            amount: Amount::from_gib(gib),
        });
    }
    if instance.public_ip {
        draws.push(one("vpc.ipv4-address.public.count"));
        draws.push(Draw {
            quota: key("vpc.allocation.count"),
            amount: Some(Amount::from(ALLOCATIONS_PER_PUBLIC_ADDRESS)),
        });
    }
    draws
}

fn one(code: &str) -> Draw {
    Draw {
        quota: key(code),
        amount: Some(Amount::from(1u32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Gpu;
    use nebius_api::common::v1::ResourceMetadata;
    use nebius_api::compute::v1::{Platform, PlatformSpec, Preset, PresetResources};

    fn instance(instance_type: &str, gpus: u32) -> Instance {
        Instance {
            instance_type: instance_type.into(),
            cpus: Some(16),
            memory_gb: None,
            gpu: (gpus > 0).then(|| Gpu {
                name: "H100".into(),
                count: gpus,
                memory_gb: None,
                vendor: None,
            }),
            disk_gb: None,
            public_ip: false,
        }
    }

    fn drawn(platforms: &Platforms, instance: &Instance, market: Market) -> Vec<String> {
        let demand = demand(platforms, instance, market);
        let draws = demand.draws.iter().map(|draw| match draw.amount {
            Some(amount) => format!("{} {amount}", draw.quota.code),
            None => format!("{} ?", draw.quota.code),
        });
        draws.collect()
    }

    #[test]
    fn on_demand_gpus_draw_on_the_gpu_quota_and_spot_ones_on_the_count_of_machines() {
        let platforms = Platforms::default();
        let instance = instance("gpu-h100-sxm 8gpu-128vcpu-1600gb", 8);
        assert_eq!(
            drawn(&platforms, &instance, Market::OnDemand),
            [
                "compute.instance.gpu.h100 8",
                "compute.instance.count 1",
                "compute.disk.count 1"
            ]
        );
        assert_eq!(
            drawn(&platforms, &instance, Market::Spot),
            [
                "compute.instance.preemptible.count 1",
                "compute.disk.count 1"
            ]
        );
        assert_eq!(demand(&platforms, &instance, Market::Spot).unmapped, None);
    }

    #[test]
    fn machines_without_gpus_draw_on_vcpus() {
        let platforms = Platforms::default();
        let instance = instance("cpu-d3 16vcpu-64gb", 0);
        assert_eq!(
            drawn(&platforms, &instance, Market::OnDemand),
            [
                "compute.instance.non-gpu.vcpu 16",
                "compute.instance.count 1",
                "compute.disk.count 1"
            ]
        );
        let spot = demand(&platforms, &instance, Market::Spot);
        assert!(spot.unmapped.is_some());
        assert!(spot.draws.is_empty(), "no quota may refuse it: {spot:?}");
    }

    #[test]
    fn a_disk_and_an_address_are_judged_when_they_are_asked_for() {
        let mut instance = instance("gpu-h100-sxm 1gpu-16vcpu-200gb", 1);
        instance.disk_gb = Some(100.0);
        instance.public_ip = true;
        let drawn = drawn(&Platforms::default(), &instance, Market::Spot);
        assert_eq!(
            drawn[2..],
            [
                "compute.disk.size.network-ssd 107374182400",
                "vpc.ipv4-address.public.count 1",
                "vpc.allocation.count 2"
            ]
        );
    }

    #[test]
    fn what_the_cloud_says_of_a_platform_goes_before_its_name() {
        let mut platforms = Platforms::default();
        platforms.learn(
            None,
            &[Platform {
                metadata: Some(ResourceMetadata {
                    name: "gpu-new-sxm".to_owned(),
                    ..Default::default()
                }),
                spec: Some(PlatformSpec {
                    gpu_count_quota_type: "compute.instance.gpu.newer".to_owned(),
                    presets: [("4gpu-64vcpu-800gb", 4), ("never-set", 0)]
                        .map(|(name, gpu_count)| Preset {
                            name: name.to_owned(),
                            resources: Some(PresetResources {
                                vcpu_count: 64,
                                memory_gibibytes: 800,
                                gpu_count,
                            }),
                            allow_gpu_clustering: false,
                        })
                        .to_vec(),
                    ..Default::default()
                }),
                status: None,
            }],
        );
        let known = drawn(
            &platforms,
            &instance("gpu-new-sxm 4gpu-64vcpu-800gb", 0),
            Market::OnDemand,
        );
        assert_eq!(known[0], "compute.instance.gpu.newer 4");
        for preset in ["odd", "never-set"] {
            let unknown = drawn(
                &platforms,
                &instance(&format!("gpu-new-sxm {preset}"), 0),
                Market::OnDemand,
            );
            assert_eq!(unknown[0], "compute.instance.gpu.newer ?");
        }
    }

    #[test]
    fn an_unknown_platform_says_so() {
        for platform in ["tpu-x", "gpu-novel-sxm", "cpu-z9"] {
            let instance = instance(&format!("{platform} 1"), 0);
            for market in [Market::OnDemand, Market::Spot] {
                let demand = demand(&Platforms::default(), &instance, market);
                assert!(demand.unmapped.unwrap().contains(platform));
                assert!(demand.draws.is_empty(), "{:?}", demand.draws);
            }
        }
    }
}
