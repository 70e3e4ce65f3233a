//! An account as a team may have it: five regions, the default limits, some of them in use.
//!
//! Regions, platforms and sizes are the public ones of nebius-solutions-library; limits are the
//! defaults of docs.nebius.com/compute/resources/quotas-limits (August 2026) where that page has
//! them. The usage is made up.

use super::account::{
    Account, Advice, Availability, AvailabilityLevel, DataState, Platform, Project, QuotaRow,
    State, UsageState, preset_name,
};

const TENANT: &str = "tenant-e00demo";

const REGIONS: [&str; 5] = [
    "eu-north1",
    "eu-west1",
    "me-west1",
    "uk-south1",
    "us-central1",
];

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Name, description, limit and usage of the rows that are the same in every region.
const EVERYWHERE: [(&str, &str, u64, u64); 20] = [
    ("compute.instance.count", "Regular virtual machines", 32, 5),
    (
        "compute.instance.preemptible.count",
        "Preemptible virtual machines",
        8,
        1,
    ),
    (
        "compute.instance.non-gpu.vcpu",
        "vCPUs of virtual machines without GPUs",
        200,
        24,
    ),
    (
        "compute.instance.non-gpu.memory",
        "RAM of virtual machines without GPUs",
        800 * GIB,
        96 * GIB,
    ),
    ("compute.disk.count", "Disks", 64, 9),
    (
        "compute.disk.size.network-ssd",
        "Network SSD disks",
        10 * TIB,
        TIB,
    ),
    (
        "compute.disk.size.network-ssd-io-m3",
        "Network SSD IO M3 disks",
        4 * TIB,
        0,
    ),
    (
        "compute.disk.size.network-ssd-non-replicated",
        "Network SSD non-replicated disks",
        4 * TIB,
        0,
    ),
    ("compute.filesystem.count", "Shared filesystems", 8, 1),
    (
        "compute.filesystem.size.network-ssd",
        "Shared filesystems on network SSD",
        4 * TIB,
        TIB,
    ),
    ("compute.gpucluster.count", "GPU clusters", 5, 1),
    (
        "vpc.ipv4-address.public.count",
        "Public IPv4 addresses",
        3,
        2,
    ),
    ("vpc.allocation.count", "IP allocations", 64, 14),
    ("vpc.network.count", "Networks", 4, 1),
    ("vpc.subnet.count", "Subnets", 16, 2),
    ("mk8s.cluster.count", "Managed Kubernetes clusters", 4, 1),
    ("storage.bucket.count", "Buckets", 20, 6),
    ("mysterybox.secret.count", "Secrets", 100, 3),
    ("msp.postgres.count", "Managed PostgreSQL clusters", 4, 0),
    (
        "msp.postgres.disk.size.network-ssd",
        "Managed PostgreSQL disks",
        TIB,
        0,
    ),
];

/// Region, GPU, limit and usage; everything else is zero.
const GPUS: [(&str, &str, u64, u64); 6] = [
    ("eu-north1", "h100", 32, 24),
    ("eu-north1", "h200", 32, 8),
    ("eu-north1", "l40s", 2, 1),
    ("eu-west1", "h200", 8, 8),
    ("uk-south1", "b300", 32, 0),
    ("us-central1", "rtx6000", 0, 0),
];

const GPU_FAMILIES: [(&str, &str); 6] = [
    ("b200", "NVIDIA B200"),
    ("b300", "NVIDIA B300"),
    ("h100", "NVIDIA H100"),
    ("h200", "NVIDIA H200"),
    ("l40s", "NVIDIA L40S"),
    ("rtx6000", "NVIDIA RTX PRO 6000"),
];

/// Platform, GPU family (none: by CPU), spot, regions, and sizes in GPUs, vCPUs and GiB.
type PlatformRow = (
    &'static str,
    &'static str,
    bool,
    &'static [&'static str],
    &'static [(i32, i32, i32)],
);

const PLATFORMS: [PlatformRow; 10] = [
    (
        "gpu-h100-sxm",
        "h100",
        true,
        &["eu-north1"],
        &[(1, 16, 200), (8, 128, 1600)],
    ),
    (
        "gpu-h200-sxm",
        "h200",
        true,
        &["eu-north1", "eu-west1", "us-central1"],
        &[(1, 16, 200), (8, 128, 1600)],
    ),
    (
        "gpu-b200-sxm",
        "b200",
        true,
        &["us-central1"],
        &[(1, 20, 224), (8, 160, 1792)],
    ),
    (
        "gpu-b200-sxm-a",
        "b200",
        true,
        &["me-west1"],
        &[(1, 20, 224), (8, 160, 1792)],
    ),
    (
        "gpu-b300-sxm",
        "b300",
        true,
        &["uk-south1"],
        &[(1, 24, 346), (8, 192, 2768)],
    ),
    (
        "gpu-rtx6000",
        "rtx6000",
        true,
        &["us-central1"],
        &[(1, 24, 218), (2, 48, 436), (8, 192, 1744)],
    ),
    (
        "gpu-l40s-a",
        "l40s",
        true,
        &["eu-north1"],
        &[
            (1, 8, 32),
            (1, 16, 64),
            (1, 24, 96),
            (1, 32, 128),
            (1, 40, 160),
        ],
    ),
    (
        "gpu-l40s-d",
        "l40s",
        true,
        &["eu-north1"],
        &[(1, 16, 96), (1, 32, 192), (2, 64, 384), (4, 128, 768)],
    ),
    (
        "cpu-d3",
        "",
        false,
        &REGIONS,
        &[(0, 4, 16), (0, 16, 64), (0, 64, 256), (0, 128, 512)],
    ),
    (
        "cpu-e2",
        "",
        false,
        &["eu-north1"],
        &[(0, 2, 8), (0, 16, 64), (0, 80, 320)],
    ),
];

impl Account {
    /// The account of the demonstration.
    pub fn demo() -> Self {
        Self {
            tenants: vec![TENANT.to_owned()],
            projects: projects(),
            platforms: platforms(),
            quotas: quotas(),
            advice: advice(),
        }
    }
}

fn projects() -> Vec<Project> {
    let project = |id: String, name: &str, region: &str| Project {
        id,
        tenant: TENANT.to_owned(),
        name: name.to_owned(),
        region: region.to_owned(),
    };
    let mut projects: Vec<_> = REGIONS
        .iter()
        .map(|region| project(default_project(region), "default-project", region))
        .collect();
    let research = "project-e00research".to_owned();
    projects.push(project(research, "research", "eu-north1"));
    projects
}

fn default_project(region: &str) -> String {
    format!("project-e00{region}")
}

fn platforms() -> Vec<Platform> {
    let in_region = |&(name, family, spot, _, presets): &PlatformRow, region: &str| Platform {
        name: name.to_owned(),
        region: region.to_owned(),
        gpu_quota: match family {
            "" => String::new(),
            family => format!("compute.instance.gpu.{family}"),
        },
        spot,
        presets: presets.to_vec(),
    };
    PLATFORMS
        .iter()
        .flat_map(|row| row.3.iter().map(move |region| in_region(row, region)))
        .collect()
}

fn quotas() -> Vec<QuotaRow> {
    let mut rows = Vec::new();
    for region in REGIONS {
        let tenant_rows = region_quotas(region);
        // A project lists the same rows, most of them without a limit of its own.
        rows.extend(tenant_rows.iter().map(|row| project_row(row, region)));
        rows.extend(tenant_rows);
    }
    rows
}

fn region_quotas(region: &str) -> Vec<QuotaRow> {
    let mut rows: Vec<_> = EVERYWHERE
        .iter()
        .map(|&(name, description, limit, usage)| {
            let row = QuotaRow::new(TENANT, name, region, limit).described(description);
            // The addresses of this region cannot be counted at the moment.
            match (name, region) {
                ("vpc.ipv4-address.public.count", "uk-south1") => {
                    row.usage_state(UsageState::Unknown)
                }
                _ => row.used(usage),
            }
        })
        .collect();
    for (family, title) in GPU_FAMILIES {
        let (limit, usage) = GPUS
            .iter()
            .find(|gpu| gpu.0 == region && gpu.1 == family)
            .map_or((0, 0), |gpu| (gpu.2, gpu.3));
        let name = format!("compute.instance.gpu.{family}");
        let row = QuotaRow::new(TENANT, &name, region, limit)
            .used(usage)
            .described(&format!("{title} for regular VMs without reservations"));
        // An increase that was asked for and is not through yet.
        rows.push(match (family, region) {
            ("b200", "me-west1") => row.state(State::Provisioning),
            _ => row,
        });
    }
    rows
}

fn project_row(tenant_row: &QuotaRow, region: &str) -> QuotaRow {
    let mut row = tenant_row.clone();
    row.listed_by = default_project(region);
    row.parent = row.listed_by.clone();
    // One team's share of the tenant's H200s.
    row.limit = match (region, &*row.name) {
        ("eu-north1", "compute.instance.gpu.h200") => Some(16),
        _ => None,
    };
    row
}

fn advice() -> Vec<Advice> {
    let mut advice = Vec::new();
    for (platform, family, _, regions, presets) in PLATFORMS {
        for region in regions.iter().filter(|_| !family.is_empty()) {
            let gpu = GPUS.iter().find(|gpu| gpu.0 == *region && gpu.1 == family);
            let free = gpu.map_or(0, |&(_, _, limit, usage)| limit - usage);
            for &(gpus, cpus, memory) in presets {
                advice.push(advised(platform, region, free, (gpus, cpus, memory)));
            }
        }
    }
    advice
}

fn advised(platform: &str, region: &str, free: u64, preset: (i32, i32, i32)) -> Advice {
    let (gpus, cpus, memory) = preset;
    let machines = u32::try_from(free).unwrap_or(0) / gpus.unsigned_abs().max(1);
    let on_demand = Availability {
        data_state: DataState::Fresh,
        level: match machines {
            0 => AvailabilityLevel::LimitReached,
            1..4 => AvailabilityLevel::Low,
            _ => AvailabilityLevel::High,
        },
        available: machines,
    };
    let preemptible = Availability {
        data_state: DataState::Fresh,
        level: AvailabilityLevel::Medium,
        available: 3,
    };
    Advice {
        tenant: TENANT.to_owned(),
        region: region.to_owned(),
        fabric: format!("{region}-fabric-1"),
        platform: platform.to_owned(),
        preset: preset_name(gpus, cpus, memory),
        on_demand: Some(on_demand),
        preemptible: Some(preemptible),
    }
}
