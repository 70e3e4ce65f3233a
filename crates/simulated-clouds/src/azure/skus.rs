//! The list of sizes: one document of several megabytes for a location, in which machines stand
//! among disks, snapshots and hosts, and all capabilities are texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::controls::Controls;
use super::errors::{self, Refusal};
use super::request::Asked;
use super::{LocationState, Reason, Restriction, Size};

/// The capabilities of machines that quotas have nothing to do with.
const USUAL: &[(&str, &str)] = &[
    ("MaxResourceVolumeMB", "0"),
    ("OSVhdSizeMB", "1047552"),
    ("MemoryPreservingMaintenanceSupported", "True"),
    ("HyperVGenerations", "V1,V2"),
    ("DiskControllerTypes", "SCSI,NVMe"),
    (
        "SupportedEphemeralOSDiskPlacements",
        "ResourceDisk,CacheDisk",
    ),
    ("MaxDataDiskCount", "16"),
    ("CpuArchitectureType", "x64"),
    ("MaxWriteAcceleratorDisksAllowed", "0"),
    ("PremiumIO", "True"),
    ("VMDeploymentTypes", "IaaS"),
    ("vCPUsPerCore", "2"),
    ("ACUs", "195"),
    ("CombinedTempDiskAndCachedIOPS", "19000"),
    ("CombinedTempDiskAndCachedReadBytesPerSecond", "120586240"),
    ("CombinedTempDiskAndCachedWriteBytesPerSecond", "120586240"),
    ("UncachedDiskIOPS", "12800"),
    ("UncachedDiskBytesPerSecond", "192000000"),
    ("EphemeralOSDiskSupported", "True"),
    ("EncryptionAtHostSupported", "True"),
    ("CapacityReservationSupported", "True"),
    ("AcceleratedNetworkingEnabled", "True"),
    ("RdmaEnabled", "False"),
    ("MaxNetworkInterfaces", "4"),
    ("TrustedLaunchDisabled", "False"),
    ("UltraSSDAvailable", "True"),
];

/// The capabilities of other resource types; some have the names of those of machines.
const OTHER: &[(&str, &str)] = &[
    ("MaxSizeGiB", "1024"),
    ("MinSizeGiB", "512"),
    ("MaxIOps", "5000"),
    ("MinIOps", "5000"),
    ("MaxBandwidthMBps", "200"),
    ("MaxValueOfMaxShares", "5"),
    (
        "BillingPartitionSizes",
        "8, 16, 32, 64, 128, 256, 512, 1024",
    ),
    ("vCPUs", "64"),
    ("Cores", "64"),
    ("vCPUsPerCore", "2"),
    ("SupportsHibernate", "False"),
];

/// Resource types, names and families of rows that are no sizes of machines.
const OTHER_ROWS: &[(&str, &str, Option<&str>)] = &[
    ("disks", "Premium_LRS", None),
    ("snapshots", "Standard_LRS", None),
    ("availabilitySets", "Aligned", None),
    ("hostGroups/hosts", "DSv3-Type1", Some("standardDSv3Family")),
];

#[derive(Serialize)]
struct Document<'a> {
    value: Vec<Sku<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sku<'a> {
    resource_type: &'static str,
    name: &'a str,
    tier: &'static str,
    size: &'a str,
    family: Option<&'a str>,
    locations: [&'a str; 1],
    location_info: [LocationInfo<'a>; 1],
    capabilities: Vec<Capability<'a>>,
    restrictions: Vec<RestrictionDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationInfo<'a> {
    location: &'a str,
    zones: [&'static str; 3],
    zone_details: [(); 0],
}

#[derive(Serialize)]
struct Capability<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RestrictionDocument<'a> {
    r#type: &'static str,
    values: [&'a str; 1],
    restriction_info: RestrictionInfo<'a>,
    reason_code: &'static str,
}

#[derive(Serialize)]
struct RestrictionInfo<'a> {
    locations: [&'a str; 1],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    zones: &'a [String],
}

/// The document of the location that the filter names, or of all of them.
pub(super) fn list(controls: &Controls, asked: &Asked) -> Result<Vec<u8>, Refusal> {
    let filter = asked.parameter("$filter");
    if !filter.is_empty() && asked.location.is_empty() {
        return Err(errors::invalid_filter(filter));
    }
    let (sizes, locations, other_resources) = {
        let state = controls.state();
        let subscription = &state.subscription;
        let locations = subscription.locations.iter().filter(|(name, location)| {
            location.is_physical && (asked.location.is_empty() || **name == asked.location)
        });
        let locations: BTreeMap<_, _> = locations
            .map(|(name, location)| (name.clone(), without_usages(location)))
            .collect();
        (
            Arc::clone(&subscription.sizes),
            locations,
            state.other_resources,
        )
    };
    // The list takes long, and is made without the lock: other calls go on.
    let numbers: BTreeMap<u32, String> = sizes
        .iter()
        .flat_map(|size| [size.vcpus, size.available_vcpus, size.gpus])
        .map(|number| (number, number.to_string()))
        .collect();
    let mut value = Vec::new();
    for (name, location) in &locations {
        let offered = sizes
            .iter()
            .filter(|size| size.is_in(name) && !location.withheld.contains(&size.name));
        value.extend(offered.map(|size| machine(size, name, location, &numbers)));
        let others = OTHER_ROWS.iter().cycle().take(other_resources);
        value.extend(others.map(|(kind, sku, family)| other(kind, sku, *family, name)));
    }
    Ok(serde_json::to_vec(&Document { value }).expect("texts and lists are JSON"))
}

fn without_usages(location: &LocationState) -> LocationState {
    LocationState {
        withheld: location.withheld.clone(),
        restrictions: location.restrictions.clone(),
        ..LocationState::default()
    }
}

fn machine<'a>(
    size: &'a Size,
    location: &'a str,
    state: &'a LocationState,
    numbers: &'a BTreeMap<u32, String>,
) -> Sku<'a> {
    let mut capabilities = vec![
        capability("vCPUs", &numbers[&size.vcpus]),
        capability("vCPUsAvailable", &numbers[&size.available_vcpus]),
        capability("MemoryGB", &size.memory_gb),
        capability(
            "LowPriorityCapable",
            match size.is_low_priority_capable {
                true => "True",
                false => "False",
            },
        ),
    ];
    if size.gpus > 0 {
        capabilities.push(capability("GPUs", &numbers[&size.gpus]));
    }
    capabilities.extend(USUAL.iter().map(|(name, value)| capability(name, value)));
    let restriction = state.restrictions.get(&size.name);
    Sku {
        resource_type: "virtualMachines",
        name: &size.name,
        tier: "Standard",
        size: size.name.strip_prefix("Standard_").unwrap_or(&size.name),
        family: size.family.as_deref(),
        locations: [location],
        location_info: [location_info(location)],
        capabilities,
        restrictions: restriction
            .map(|restriction| restriction_document(restriction, location))
            .into_iter()
            .collect(),
    }
}

fn other<'a>(
    kind: &'static str,
    name: &'a str,
    family: Option<&'a str>,
    location: &'a str,
) -> Sku<'a> {
    Sku {
        resource_type: kind,
        name,
        tier: "Premium",
        size: "P30",
        family,
        locations: [location],
        location_info: [location_info(location)],
        capabilities: OTHER
            .iter()
            .map(|(name, value)| capability(name, value))
            .collect(),
        restrictions: Vec::new(),
    }
}

fn capability<'a>(name: &'a str, value: &'a str) -> Capability<'a> {
    Capability { name, value }
}

fn location_info(location: &str) -> LocationInfo<'_> {
    LocationInfo {
        location,
        zones: ["1", "2", "3"],
        zone_details: [],
    }
}

fn restriction_document<'a>(
    restriction: &'a Restriction,
    location: &'a str,
) -> RestrictionDocument<'a> {
    RestrictionDocument {
        r#type: match restriction.zones.is_empty() {
            true => "Location",
            false => "Zone",
        },
        values: [location],
        restriction_info: RestrictionInfo {
            locations: [location],
            zones: &restriction.zones,
        },
        reason_code: match restriction.reason {
            Reason::QuotaId => "QuotaId",
            Reason::NotAvailableForSubscription => "NotAvailableForSubscription",
        },
    }
}
