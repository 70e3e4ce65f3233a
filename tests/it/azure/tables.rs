//! The questions, by what they are about.

use super::expected::Line;

/// Families and the total: the one with the least room decides.
pub(super) const ON_DEMAND: &[Line] = &[
    (
        "eastus Standard_ND96isr_H100_v5 on-demand 1",
        "fits available | standardNDSH100v5Family | 96/96 1 -",
    ),
    (
        "eastus Standard_ND96isr_H100_v5 on-demand 2",
        "short no_quota | standardNDSH100v5Family | 96/192 1 -",
    ),
    // Families are joined whatever their spelling, and GPU families count vCPUs.
    (
        "eastus Standard_NC24ads_A100_v4 on-demand 3",
        "fits available | standardNCADSA100v4Family | 72/72 3 zones",
    ),
    (
        "eastus Standard_NC24ads_A100_v4 on-demand 4",
        "short no_quota | standardNCADSA100v4Family | 72/96 3 zones",
    ),
    (
        "eastus Standard_NC4as_T4_v3 on-demand 15",
        "fits available | Standard NCASv3_T4 Family | 60/60 15 -",
    ),
    (
        "eastus Standard_NC4as_T4_v3 on-demand 16",
        "short no_quota | Standard NCASv3_T4 Family | 60/64 15 -",
    ),
    (
        "eastus Standard_NV36ads_A10_v5 on-demand 2",
        "fits available | StandardNVADSA10v5Family | 72/72 2 -",
    ),
    (
        "eastus Standard_NV6ads_A10_v5 on-demand 13",
        "short no_quota | StandardNVADSA10v5Family | 72/78 12 -",
    ),
    (
        "westeurope Standard_NC80adis_H100_v5 on-demand 1",
        "fits available | StandardNCadsH100v5Family | 80/80 1 -",
    ),
    (
        "westeurope Standard_NC40ads_H100_v5 on-demand 3",
        "short no_quota | StandardNCadsH100v5Family | 80/120 2 -",
    ),
    (
        "eastus2 Standard_ND96asr_v4 on-demand 1",
        "short no_quota | Standard NDASv4_A100 Family | 0/96 0 not_offered",
    ),
    (
        "swedencentral Standard_ND96isr_H100_v5 on-demand 1",
        "short no_quota | standardNDSH100v5Family | 0/96 0 -",
    ),
    (
        "eastus Standard_D4s_v5 on-demand 23",
        "fits available | standardDSv5Family | 92/92 23 -",
    ),
    (
        "eastus Standard_D4s_v5 on-demand 24",
        "short no_quota | standardDSv5Family | 92/96 23 -",
    ),
    (
        "eastus standard_d4S_V5 on-demand 1",
        "fits available | standardDSv5Family | 92/4 23 -",
    ),
    // The caller's vCPUs come before the table's.
    (
        "eastus Standard_D4s_v5:8 on-demand 12",
        "short no_quota | standardDSv5Family | 92/96 11 -",
    ),
    // A constrained size counts as the whole one.
    (
        "eastus Standard_E32-8s_v4 on-demand 3",
        "fits available | standardESv4Family | 100/96 3 -",
    ),
    (
        "eastus Standard_E32-8s_v4 on-demand 4",
        "short no_quota | standardESv4Family | 100/128 3 -",
    ),
    // No pattern leads from this size to its family.
    (
        "eastus Standard_E104is_v5 on-demand 1",
        "short no_quota | standardEISv5Family | 100/104 0 -",
    ),
    // The family has room, and the location has none.
    (
        "westus3 Standard_ND96isr_H100_v5 on-demand 1",
        "short no_quota | cores | 20/96 0 -",
    ),
    (
        "westus3 Standard_D4s_v5 on-demand 5",
        "fits available | cores | 20/20 5 -",
    ),
    (
        "westus3 Standard_D4s_v5 on-demand 6",
        "short no_quota | cores | 20/24 5 -",
    ),
    // As a new subscription has it.
    (
        "brazilsouth Standard_D8s_v5 on-demand 1",
        "fits available | cores | 10/8 1 -",
    ),
    (
        "brazilsouth Standard_D8s_v5 on-demand 2",
        "short no_quota | cores | 10/16 1 -",
    ),
];

/// Spot machines of all families share one quota, and draw on no other but that of machines.
pub(super) const SPOT: &[Line] = &[
    (
        "eastus Standard_D4s_v5 spot 25",
        "fits available | lowPriorityCores | 100/100 25 -",
    ),
    (
        "eastus Standard_D4s_v5 spot 26",
        "short no_quota | lowPriorityCores | 100/104 25 -",
    ),
    (
        "eastus Standard_ND96isr_H100_v5 spot 1",
        "fits available | lowPriorityCores | 100/96 1 -",
    ),
    (
        "swedencentral Standard_ND96isr_H100_v5 spot 2",
        "fits available | lowPriorityCores | 200/192 2 -",
    ),
    (
        "westus3 Standard_D4s_v5 spot 25",
        "fits available | lowPriorityCores | 100/100 25 -",
    ),
    (
        "brazilsouth Standard_D4s_v5 spot 1",
        "short no_quota | lowPriorityCores | 3/4 0 -",
    ),
    (
        "brazilsouth Standard_D2s_v5 spot 1",
        "fits available | lowPriorityCores | 3/2 1 -",
    ),
];

/// Restrictions are no quotas: they stand beside, and `no_quota` stays.
pub(super) const RESTRICTED: &[Line] = &[
    (
        "eastus Standard_B1s spot 1",
        "fits not_available | lowPriorityCores | 100/1 100 not_offered",
    ),
    (
        "eastus Standard_B1s on-demand 1",
        "fits available | standardBSFamily | 100/1 100 -",
    ),
    (
        "eastus2 Standard_ND96isr_H100_v5 on-demand 1",
        "short no_quota | standardNDSH100v5Family | 0/96 0 subscription",
    ),
    // It is not documented that a restriction of the location binds spot.
    (
        "eastus2 Standard_ND96isr_H100_v5 spot 1",
        "fits available | lowPriorityCores | 100/96 1 -",
    ),
    (
        "westeurope Standard_D4s_v5 on-demand 1",
        "fits not_available | standardDSv5Family | 100/4 25 subscription",
    ),
    (
        "westeurope Standard_D4s_v5 on-demand 26",
        "short no_quota | standardDSv5Family | 100/104 25 subscription",
    ),
    (
        "westeurope Standard_D4s_v5 spot 1",
        "fits available | lowPriorityCores | 100/4 25 -",
    ),
    (
        "westeurope Standard_E4s_v5 on-demand 1",
        "fits not_available | standardESv5Family | 100/4 25 not_offered",
    ),
    (
        "westeurope Standard_E4s_v5 spot 1",
        "fits not_available | lowPriorityCores | 100/4 25 not_offered",
    ),
    // Unknown and restricted.
    (
        "uksouth Standard_D4s_v4 on-demand 1",
        "unknown not_available | cores | -/4 - subscription",
    ),
];

/// Missing rows are unknown, and zero is zero; a total that is too small decides whatever else is
/// not known.
pub(super) const UNKNOWN: &[Line] = &[
    (
        "uksouth Standard_D4s_v5 on-demand 1",
        "unknown unknown | cores | -/4 - -",
    ),
    (
        "uksouth Standard_D4s_v5 on-demand 26",
        "short no_quota | standardDSv5Family | 100/104 25 -",
    ),
    (
        "uksouth Standard_D4s_v5 spot 1",
        "unknown unknown | lowPriorityCores | -/4 - -",
    ),
    (
        "francecentral Standard_D4s_v5 on-demand 1",
        "unknown unknown | standardDSv5Family | -/4 - -",
    ),
    (
        "francecentral Standard_D4s_v5 on-demand 88",
        "short no_quota | virtualMachines | 2/88 2 -",
    ),
    (
        "francecentral Standard_D64s_v5 on-demand 6",
        "short no_quota | virtualMachines | 2/6 2 -",
    ),
    (
        "francecentral Standard_D4s_v3 spot 3",
        "short no_quota | virtualMachines | 2/3 2 -",
    ),
    (
        "eastus Standard_Z9s_v9:4 on-demand 1",
        "unknown unknown | - | -/- - -",
    ),
    (
        "eastus Standard_Z9s_v9:4 on-demand 118",
        "short no_quota | cores | 468/472 117 -",
    ),
    (
        "eastus Standard_Z9s_v9:4 spot 26",
        "short no_quota | lowPriorityCores | 100/104 25 -",
    ),
];

/// A category's row counts instead of its families', once it is provisioned.
pub(super) const CATEGORIES: &[Line] = &[
    (
        "northeurope Standard_D4s_v5 on-demand 3",
        "fits available | generalPurposeCategory | 12/12 3 -",
    ),
    (
        "northeurope Standard_D4s_v5 on-demand 4",
        "short no_quota | generalPurposeCategory | 12/16 3 -",
    ),
    (
        "northeurope Standard_F8s_v2 on-demand 12",
        "fits available | standardFSv2Family | 100/96 12 -",
    ),
    (
        "northeurope Standard_D4s_v5 spot 25",
        "fits available | lowPriorityCores | 100/100 25 -",
    ),
    // Where there is no such row, the mapping decides nothing.
    (
        "eastus Standard_D4s_v5 on-demand 24",
        "short no_quota | standardDSv5Family | 92/96 23 -",
    ),
];
