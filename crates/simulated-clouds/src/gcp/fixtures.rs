//! The project of demonstrations and tests: what a project of a year has, in all 43 regions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Metric, Project, QuotaInfo, RegionState, ValueRow};

const REGIONS: &[&str] = &[
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "asia-southeast3",
    "australia-southeast1",
    "australia-southeast2",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west10",
    "europe-west12",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
];

/// The quotas that every region lists, with their usual limits.
const METRICS: &[(&str, f64)] = &[
    ("CPUS", 200.0),
    ("N2_CPUS", 200.0),
    ("N2D_CPUS", 200.0),
    ("N2A_CPUS", 0.0),
    ("C2_CPUS", 100.0),
    ("C2D_CPUS", 100.0),
    ("C3_CPUS", 100.0),
    ("T2D_CPUS", 100.0),
    ("T2A_CPUS", 50.0),
    ("A2_CPUS", 0.0),
    ("M1_CPUS", 0.0),
    ("M2_CPUS", 0.0),
    ("M3_CPUS", 0.0),
    ("PREEMPTIBLE_CPUS", 0.0),
    ("COMMITTED_CPUS", 0.0),
    ("COMMITTED_NVIDIA_L4_GPUS", 0.0),
    ("NVIDIA_K80_GPUS", 0.0),
    ("NVIDIA_P100_GPUS", 1.0),
    ("NVIDIA_P4_GPUS", 1.0),
    ("NVIDIA_V100_GPUS", 1.0),
    ("NVIDIA_T4_GPUS", 1.0),
    ("NVIDIA_A100_GPUS", 0.0),
    ("NVIDIA_A100_80GB_GPUS", 0.0),
    ("NVIDIA_L4_GPUS", 1.0),
    ("NVIDIA_P100_VWS_GPUS", 1.0),
    ("NVIDIA_P4_VWS_GPUS", 1.0),
    ("NVIDIA_T4_VWS_GPUS", 1.0),
    ("PREEMPTIBLE_NVIDIA_K80_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_P100_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_P4_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_V100_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_T4_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_A100_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_A100_80GB_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_L4_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_P100_VWS_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_P4_VWS_GPUS", 0.0),
    ("PREEMPTIBLE_NVIDIA_T4_VWS_GPUS", 0.0),
    ("DISKS_TOTAL_GB", 4096.0),
    ("SSD_TOTAL_GB", 2048.0),
    ("HDB_TOTAL_GB", 2048.0),
    ("LOCAL_SSD_TOTAL_GB", 0.0),
    ("PREEMPTIBLE_LOCAL_SSD_GB", 0.0),
    ("IN_USE_ADDRESSES", 8.0),
    ("STATIC_ADDRESSES", 8.0),
    ("INSTANCES", 240.0),
    ("INSTANCE_GROUPS", 100.0),
    ("INSTANCE_GROUP_MANAGERS", 50.0),
    ("AUTOSCALERS", 50.0),
    ("TARGET_VPN_GATEWAYS", 50.0),
];

const GLOBAL_METRICS: &[(&str, f64, f64)] = &[
    ("GPUS_ALL_REGIONS", 64.0, 11.0),
    ("CPUS_ALL_REGIONS", 1000.0, 40.0),
    ("NETWORKS", 15.0, 1.0),
    ("FIREWALLS", 100.0, 12.0),
    ("SNAPSHOTS", 5000.0, 3.0),
    ("IN_USE_ADDRESSES", 69.0, 1.0),
    ("STATIC_ADDRESSES", 21.0, 0.0),
];

/// Limits and usage that differ from the usual.
const GRANTED: &[(&str, &str, i64, i64)] = &[
    ("us-central1", "NVIDIA_L4_GPUS", 16, 2),
    ("us-central1", "NVIDIA_A100_GPUS", 8, 0),
    ("us-central1", "NVIDIA_A100_80GB_GPUS", 8, 8),
    ("us-central1", "NVIDIA_T4_GPUS", 4, 1),
    ("us-central1", "CPUS", 200, 24),
    ("us-central1", "N2_CPUS", 200, 16),
    ("us-central1", "SSD_TOTAL_GB", 2048, 500),
    ("us-central1", "IN_USE_ADDRESSES", 8, 3),
    ("us-east4", "PREEMPTIBLE_NVIDIA_L4_GPUS", 8, 1),
    ("us-east4", "PREEMPTIBLE_CPUS", 64, 0),
    ("us-east4", "NVIDIA_L4_GPUS", 4, 0),
    ("europe-west4", "NVIDIA_A100_GPUS", 16, 0),
    ("europe-west4", "E2_CPUS", 32, 4),
    ("us-central1", "GPUS_PER_GPU_FAMILY/NVIDIA_H100", 16, 8),
    ("europe-west4", "GPUS_PER_GPU_FAMILY/NVIDIA_H100", 8, 0),
    ("us-central1", "GPUS_PER_GPU_FAMILY/NVIDIA_H200", 8, 0),
    ("us-east4", "PREEMPTIBLE_NVIDIA_H100_GPUS", 16, 0),
    ("us-central1", "CPUS_PER_VM_FAMILY/C4", 96, 8),
];

/// The usual age of the newest usage that Cloud Monitoring has.
pub(super) const LAG: Duration = Duration::from_secs(150);

const PREEMPTIBLE_MODELS: &[&str] = &["H100", "H100-MEGA", "H200", "B200", "RTX-PRO-6000"];

impl Project {
    /// The project of demonstrations: GPUs of several kinds in a few regions, and what every
    /// project has in all.
    pub fn demo() -> Self {
        let plain = |limit, usage| Metric { limit, usage };
        let metrics = METRICS.iter();
        let metrics: BTreeMap<_, _> = metrics
            .map(|(name, limit)| ((*name).to_owned(), plain(*limit, 0.0)))
            .collect();
        let region = RegionState {
            metrics,
            quotas_unavailable: false,
        };
        let global = GLOBAL_METRICS.iter();
        let mut project = Self {
            id: "simulated-project".to_owned(),
            number: "123456789012".to_owned(),
            regions: REGIONS
                .iter()
                .map(|name| ((*name).to_owned(), region.clone()))
                .collect(),
            global: global
                .map(|(name, limit, usage)| ((*name).to_owned(), plain(*limit, *usage)))
                .collect(),
            quota_infos: quota_infos(),
            series: Vec::new(),
        };
        for (region, code, limit, usage) in GRANTED {
            project.set_limit(Some(region), code, Some(*limit));
            if *usage > 0 || !code.starts_with("PREEMPTIBLE_NVIDIA_H") {
                project.set_usage(Some(region), code, *usage, LAG);
            }
        }
        project
    }
}

fn quota_infos() -> Vec<QuotaInfo> {
    let everywhere: Vec<String> = REGIONS.iter().map(|name| (*name).to_owned()).collect();
    let row = |dimensions: &[(&str, &str)], value| ValueRow {
        dimensions: dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        value,
        locations: everywhere.clone(),
    };
    let info = |id: &str, dimensions: &[&str], rows| QuotaInfo {
        quota_id: id.to_owned(),
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        rows,
        is_eligible: true,
    };
    let mut infos = vec![
        info(
            "GPUS-PER-GPU-FAMILY-per-project-region",
            &["region", "gpu_family"],
            vec![
                // The default of every family: none, until somebody asks for more.
                row(&[], Some(0)),
                row(&[("gpu_family", "NVIDIA_H100")], Some(0)),
                row(&[("gpu_family", "NVIDIA_RTX_PRO_6000")], Some(1)),
                // A family without a value.
                row(&[("gpu_family", "NVIDIA_B200")], None),
            ],
        ),
        // The twin by zone says -1, and means nothing.
        info(
            "GPUS-PER-GPU-FAMILY-per-project-zone",
            &["zone", "gpu_family"],
            vec![row(&[], Some(-1))],
        ),
        info(
            "CPUS-PER-VM-FAMILY-per-project-region",
            &["region", "vm_family"],
            vec![
                row(&[], Some(24)),
                row(&[("vm_family", "N4")], Some(-1)),
                row(&[("vm_family", "C3D")], Some(100)),
            ],
        ),
    ];
    infos.extend(PREEMPTIBLE_MODELS.iter().map(|model| {
        let id = format!("PREEMPTIBLE-NVIDIA-{model}-GPUS-per-project-region");
        info(&id, &["region"], vec![row(&[], Some(0))])
    }));
    infos
}
