//! The contents of a simulated account, in plain data that a test can write down.

use std::time::SystemTime;

use nebius_api::capacity::v1 as capacity;
use nebius_api::common::v1::ResourceMetadata;
use nebius_api::compute::v1 as compute;
use nebius_api::iam::v1 as iam;
use nebius_api::quotas::v1 as quotas;

pub use capacity::resource_advice_status::availability::{AvailabilityLevel, DataState};
pub use nebius_api::quotas::v1::quota_allowance_status::{State, UsageState};

/// Everything that the services list.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The tenants' ids.
    pub tenants: Vec<String>,
    /// The projects of all tenants.
    pub projects: Vec<Project>,
    /// The platforms of all regions.
    pub platforms: Vec<Platform>,
    /// The quota rows of all tenants and projects.
    pub quotas: Vec<QuotaRow>,
    /// The resource advice of all tenants.
    pub advice: Vec<Advice>,
}

/// A project, which belongs to one region.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
}

/// A kind of machine in a region, with its sizes.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Its name, such as `gpu-h100-sxm`.
    pub name: String,
    /// The region that has it.
    pub region: String,
    /// The quota that its GPUs count against; empty without GPUs.
    pub gpu_quota: String,
    /// Whether preemptible machines may be had.
    pub spot: bool,
    /// Its sizes: GPUs, virtual CPUs and GiB of memory.
    pub presets: Vec<(i32, i32, i32)>,
}

/// A quota row.
#[derive(Clone, Debug)]
pub struct QuotaRow {
    /// Whose list it is in.
    pub listed_by: String,
    /// Whose row it says it is; usually the same.
    pub parent: String,
    /// The quota's name.
    pub name: String,
    /// The region that it speaks of.
    pub region: String,
    /// The limit, absent where it is inherited.
    pub limit: Option<u64>,
    /// The usage.
    pub usage: u64,
    /// Whether `usage` means anything.
    pub usage_state: UsageState,
    /// The row's state.
    pub state: State,
    /// The unit of the numbers.
    pub unit: String,
    /// The name that people use.
    pub description: String,
}

impl QuotaRow {
    /// An active, unused row of a tenant or project.
    pub fn new(parent: &str, name: &str, region: &str, limit: impl Into<Option<u64>>) -> Self {
        let unit = if name.contains(".size.") || name.ends_with(".memory") {
            "byte"
        } else {
            "count"
        };
        Self {
            listed_by: parent.to_owned(),
            parent: parent.to_owned(),
            name: name.to_owned(),
            region: region.to_owned(),
            limit: limit.into(),
            usage: 0,
            usage_state: UsageState::NotUsed,
            state: State::Active,
            unit: unit.to_owned(),
            description: String::new(),
        }
    }

    /// The row with this much in use.
    #[must_use]
    pub fn used(mut self, usage: u64) -> Self {
        self.usage = usage;
        self.usage_state = if usage == 0 {
            UsageState::NotUsed
        } else {
            UsageState::Used
        };
        self
    }

    /// The row with a usage that the cloud cannot tell, which still reads as zero on the wire.
    #[must_use]
    pub fn usage_state(mut self, usage_state: UsageState) -> Self {
        self.usage_state = usage_state;
        self
    }

    /// The row in this state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// The row as it appears in another parent's list.
    #[must_use]
    pub fn listed_by(mut self, parent: &str) -> Self {
        self.listed_by = parent.to_owned();
        self
    }

    /// The row under this description.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = description.to_owned();
        self
    }
}

/// The capacity of one size of a platform on one fabric.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The tenant that is advised.
    pub tenant: String,
    /// The region.
    pub region: String,
    /// The InfiniBand fabric.
    pub fabric: String,
    /// The platform.
    pub platform: String,
    /// The size's name.
    pub preset: String,
    /// The capacity for regular machines.
    pub on_demand: Option<Availability>,
    /// The capacity for preemptible machines.
    pub preemptible: Option<Availability>,
}

/// How many machines can be had.
#[derive(Clone, Copy, Debug)]
pub struct Availability {
    /// How far the number may be relied on.
    pub data_state: DataState,
    /// The cloud's word for how much room there is.
    pub level: AvailabilityLevel,
    /// Machines that can be allocated at once.
    pub available: u32,
}

fn metadata(id: &str, parent: &str, name: &str) -> Option<ResourceMetadata> {
    Some(ResourceMetadata {
        id: id.to_owned(),
        parent_id: parent.to_owned(),
        name: name.to_owned(),
        resource_version: 1,
        ..Default::default()
    })
}

pub(super) fn tenant_message(id: &str) -> iam::Container {
    iam::Container {
        metadata: metadata(id, "", &format!("{id}-name")),
        spec: None,
        status: None,
    }
}

impl Project {
    pub(super) fn message(&self) -> iam::Container {
        iam::Container {
            metadata: metadata(&self.id, &self.tenant, &self.name),
            spec: None,
            status: Some(iam::ContainerStatus {
                region: self.region.clone(),
                ..Default::default()
            }),
        }
    }
}

/// The name of a size, as the cloud composes it.
pub(super) fn preset_name(gpus: i32, cpus: i32, memory: i32) -> String {
    match gpus {
        0 => format!("{cpus}vcpu-{memory}gb"),
        gpus => format!("{gpus}gpu-{cpus}vcpu-{memory}gb"),
    }
}

impl Platform {
    pub(super) fn message(&self) -> compute::Platform {
        let presets = self.presets.iter().map(|&(gpus, cpus, memory)| {
            let resources = compute::PresetResources {
                vcpu_count: cpus,
                memory_gibibytes: memory,
                gpu_count: gpus,
            };
            compute::Preset {
                name: preset_name(gpus, cpus, memory),
                resources: Some(resources),
                allow_gpu_clustering: gpus == 8,
            }
        });
        compute::Platform {
            metadata: metadata(&format!("computeplatform-{}", self.name), "", &self.name),
            spec: Some(compute::PlatformSpec {
                presets: presets.collect(),
                gpu_count_quota_type: self.gpu_quota.clone(),
                human_readable_name: self.name.clone(),
                ..Default::default()
            }),
            status: Some(compute::PlatformStatus {
                allowed_for_preemptibles: self.spot,
            }),
        }
    }
}

impl QuotaRow {
    pub(super) fn message(&self) -> quotas::QuotaAllowance {
        let service = self.name.split('.').next().unwrap_or_default();
        let id = format!("quota-{}-{}", self.region, self.name);
        quotas::QuotaAllowance {
            metadata: metadata(&id, &self.parent, &self.name),
            spec: Some(quotas::QuotaAllowanceSpec {
                limit: self.limit,
                region: self.region.clone(),
            }),
            status: Some(quotas::QuotaAllowanceStatus {
                state: self.state.into(),
                usage: self.usage,
                service: service.to_owned(),
                description: self.description.clone(),
                unit: self.unit.clone(),
                usage_state: self.usage_state.into(),
                ..Default::default()
            }),
        }
    }
}

impl Advice {
    pub(super) fn message(&self) -> capacity::ResourceAdvice {
        use capacity::resource_advice_spec::ResourceDetails;
        let preset = capacity::compute_instance_details::Preset {
            name: self.preset.clone(),
            resources: None,
        };
        let details = capacity::ComputeInstanceDetails {
            platform: self.platform.clone(),
            preset: Some(preset),
            gpu_memory_gigabytes: 0,
        };
        capacity::ResourceAdvice {
            metadata: metadata("", &self.tenant, ""),
            spec: Some(capacity::ResourceAdviceSpec {
                region: self.region.clone(),
                fabric: self.fabric.clone(),
                resource_details: Some(ResourceDetails::ComputeInstance(details)),
            }),
            status: Some(capacity::ResourceAdviceStatus {
                reserved: None,
                on_demand: self.on_demand.map(|availability| availability.message()),
                preemptible: self.preemptible.map(|availability| availability.message()),
            }),
        }
    }
}

impl Availability {
    fn message(&self) -> capacity::resource_advice_status::Availability {
        capacity::resource_advice_status::Availability {
            data_state: self.data_state.into(),
            available: self.available,
            limit: self.available,
            availability_level: self.level.into(),
            effective_at: Some(SystemTime::now().into()),
        }
    }
}
