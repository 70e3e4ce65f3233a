//! The quotas by which Google counts a machine, told from its type's name.
//!
//! From Google's documentation of resource usage, as of 2026: machines that come with GPUs need
//! GPU quota only, and all others the CPU quota of their family. N1 machines take GPUs of a
//! caller's choice, so the name of the GPU decides there.

use super::metrics::{CPU_GROUP, GPU_GROUP, family_code};
use crate::model::Instance;

/// The quotas that count a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// That of its GPUs, if it has any.
    pub(super) gpus: Option<GpuQuota>,
    /// That of its CPUs, for machines that do not come with GPUs.
    pub(super) cpus: Option<CpuQuota>,
    /// Why these are not all that it draws on, if they are not.
    pub(super) unmapped: Option<String>,
}

/// The quotas that count GPUs of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GpuQuota {
    /// On demand, and for spot where no other is granted.
    pub(super) standard: String,
    /// For spot where it is granted; nothing where no name of it is known.
    pub(super) preemptible: Option<String>,
}

/// The quota that counts CPUs on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CpuQuota {
    /// This one.
    Of(String),
    /// `E2_CPUS` in regions that have it, else `CPUS`.
    E2,
}

/// The fewest CPUs of a G4 machine with a whole GPU; smaller ones have a fraction of one.
const WHOLE_G4_CPUS: u32 = 48;

/// Returns the quotas that count an instance, or why none is known.
pub(super) fn machine(instance: &Instance) -> Result<Machine, String> {
    let instance_type = &*instance.instance_type;
    let mut parts = instance_type.split('-');
    let (series, kind) = (parts.next().unwrap_or_default(), parts.next());
    let gpu = instance.gpu.as_ref();
    if is_tpu(series) || gpu.and_then(|gpu| gpu.vendor.as_deref()) == Some("google") {
        return Err(format!(
            "{instance_type} is a TPU, whose quotas are those of the Cloud TPU API and are not read"
        ));
    }
    let with_gpus = |gpus| {
        Ok(Machine {
            gpus: Some(gpus),
            cpus: None,
            unmapped: None,
        })
    };
    match (series, kind) {
        ("a2", Some("highgpu" | "megagpu")) => with_gpus(listed("A100")),
        ("a2", Some("ultragpu")) => with_gpus(listed("A100_80GB")),
        ("a3", Some("highgpu" | "edgegpu")) => with_gpus(family("H100")),
        ("a3", Some("megagpu")) => with_gpus(family("H100_MEGA")),
        ("a3", Some("ultragpu")) => with_gpus(family("H200")),
        ("a4", Some("highgpu")) => with_gpus(family("B200")),
        ("a4x", Some("highgpu")) => with_gpus(placeholder("GB200")),
        ("a4x", Some("maxgpu")) => with_gpus(placeholder("GB300")),
        ("g2", Some("standard" | "custom")) => with_gpus(listed("L4")),
        ("g4", Some("standard")) => match type_cpus(instance_type).or(instance.cpus) {
            Some(cpus) if cpus < WHOLE_G4_CPUS => Err(format!(
                "{instance_type} has a fraction of a GPU, and it is not documented what that \
                 draws on"
            )),
            Some(_) => with_gpus(family("RTX_PRO_6000")),
            None => Err(unknown(instance_type)),
        },
        _ => {
            let cpus = cpu_quota(series).ok_or_else(|| unknown(instance_type))?;
            let gpus = match gpu {
                None => None,
                Some(gpu) if series == "n1" => Some(attached(&gpu.name).ok_or_else(|| {
                    format!("no quota is known for {} on {instance_type}", gpu.name)
                })?),
                Some(gpu) => {
                    return Err(format!(
                        "no quota is known for {} on {instance_type}",
                        gpu.name
                    ));
                }
            };
            Ok(Machine {
                gpus,
                cpus: Some(cpus),
                unmapped: brings_local_ssd(instance_type).then(|| {
                    format!(
                        "{instance_type} brings Local SSD, whose quota by family cannot be read"
                    )
                }),
            })
        }
    }
}

/// Returns how many GPUs a type comes with, where its name tells it.
pub(super) fn type_gpus(instance_type: &str) -> Option<u32> {
    let mut parts = instance_type.split('-');
    let series = parts.next()?;
    let last = parts.next_back()?;
    match (series, type_cpus(instance_type)) {
        ("a2" | "a3" | "a4" | "a4x", _) => last.strip_suffix('g')?.parse().ok(),
        // Google's documentation of the G2 and G4 series.
        ("g2", Some(4 | 8 | 12 | 16 | 32)) => Some(1),
        ("g2", Some(24)) => Some(2),
        ("g2", Some(48)) => Some(4),
        ("g2", Some(96)) => Some(8),
        ("g4", Some(cpus @ (48 | 96 | 192 | 384))) => Some(cpus / WHOLE_G4_CPUS),
        _ => None,
    }
}

/// Whether dstack and Google boot machines of this series from Hyperdisk Balanced, others from a
/// balanced persistent disk.
pub(super) fn boots_from_hyperdisk(instance_type: &str) -> bool {
    const SERIES: &[&str] = &[
        "a4", "a4x", "c4", "c4a", "c4d", "c4n", "g4", "h3", "h4d", "m4", "n4", "n4a", "n4d", "x4",
    ];
    let series = instance_type.split('-').next().unwrap_or_default();
    SERIES.contains(&series)
}

/// Returns the CPUs in the name of a predefined type, such as `n2-standard-8`.
fn type_cpus(instance_type: &str) -> Option<u32> {
    instance_type.split('-').nth(2)?.parse().ok()
}

fn is_tpu(series: &str) -> bool {
    if series.starts_with("tpu") {
        return true;
    }
    let version = series.strip_prefix('v').unwrap_or_default();
    version.starts_with(|c: char| c.is_ascii_digit())
}

fn brings_local_ssd(instance_type: &str) -> bool {
    let mut parts = instance_type.split('-');
    parts.next() == Some("z3") || parts.any(|part| part == "lssd" || part.ends_with("lssd"))
}

/// A model that Compute Engine lists in both markets.
fn listed(model: &str) -> GpuQuota {
    GpuQuota {
        standard: format!("NVIDIA_{model}_GPUS"),
        preemptible: Some(format!("PREEMPTIBLE_NVIDIA_{model}_GPUS")),
    }
}

/// A model that has a quota by family, and a preemptible one of its own.
fn family(model: &str) -> GpuQuota {
    GpuQuota {
        standard: family_code(GPU_GROUP, &format!("NVIDIA_{model}")),
        preemptible: Some(format!("PREEMPTIBLE_NVIDIA_{model}_GPUS")),
    }
}

/// A model whose preemptible quota has no name that is known.
fn placeholder(model: &str) -> GpuQuota {
    GpuQuota {
        preemptible: None,
        ..family(model)
    }
}

/// A model that is attached to N1 machines.
fn attached(gpu: &str) -> Option<GpuQuota> {
    let known = ["T4", "V100", "P100", "P4", "K80"];
    let model = known
        .into_iter()
        .find(|known| gpu.eq_ignore_ascii_case(known));
    model.map(listed)
}

fn cpu_quota(series: &str) -> Option<CpuQuota> {
    Some(match series {
        // Custom machines without a series in their name are N1.
        "n1" | "f1" | "g1" | "custom" => CpuQuota::Of("CPUS".to_owned()),
        "e2" => CpuQuota::E2,
        "n2" | "n2d" | "c2" | "c2d" | "c3" | "t2d" | "t2a" | "m1" | "m2" | "m3" => {
            CpuQuota::Of(format!("{}_CPUS", series.to_ascii_uppercase()))
        }
        "c3d" | "c4" | "c4a" | "c4d" | "c4n" | "n4" | "n4a" | "n4d" | "h3" | "h4d" | "z3"
        | "m4" | "x4" => CpuQuota::Of(family_code(CPU_GROUP, &series.to_ascii_uppercase())),
        _ => return None,
    })
}

fn unknown(instance_type: &str) -> String {
    format!("no quota is known for {instance_type} of Google Cloud")
}
