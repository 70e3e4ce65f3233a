//! The EC2 quotas that count the vCPUs of running instances.
//!
//! Codes, names and defaults are those of "Amazon EC2 instance type quotas" in the EC2 user
//! guide. Defaults hold for new accounts; an established account's limits differ.

use crate::model::Market;

/// The service of these quotas.
pub(super) const EC2: &str = "ec2";

/// A quota that counts vCPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VcpuQuota {
    /// Its code.
    pub(super) code: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// The launches that it counts.
    pub(super) market: Market,
    /// The limit of a new account.
    pub(super) default: u32,
}

/// All of them.
pub(super) const VCPU_QUOTAS: [VcpuQuota; 19] = [
    on_demand(
        "L-1216C47A",
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        5,
    ),
    on_demand("L-6E869C2A", "Running On-Demand DL instances", 0),
    on_demand("L-74FC7D96", "Running On-Demand F instances", 0),
    on_demand("L-DB2E81BA", "Running On-Demand G and VT instances", 0),
    on_demand("L-43DA4232", "Running On-Demand High Memory instances", 0),
    on_demand("L-F7808C92", "Running On-Demand HPC instances", 0),
    on_demand("L-1945791B", "Running On-Demand Inf instances", 0),
    on_demand("L-417A185B", "Running On-Demand P instances", 0),
    on_demand("L-2C3B7624", "Running On-Demand Trn instances", 0),
    on_demand("L-7295265B", "Running On-Demand X instances", 0),
    spot(
        "L-34B43A08",
        "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
        5,
    ),
    spot("L-85EED4F7", "All DL Spot Instance Requests", 0),
    spot("L-88CF9481", "All F Spot Instance Requests", 0),
    spot("L-3819A6DF", "All G and VT Spot Instance Requests", 0),
    spot("L-B5D1601B", "All Inf Spot Instance Requests", 0),
    spot("L-7212CCBC", "All P4, P3 and P2 Spot Instance Requests", 0),
    spot("L-C4BD4855", "All P5 Spot Instance Requests", 0),
    spot("L-6B0D517C", "All Trn Spot Instance Requests", 0),
    spot("L-E3A00192", "All X Spot Instance Requests", 0),
];

const fn on_demand(code: &'static str, name: &'static str, default: u32) -> VcpuQuota {
    VcpuQuota {
        code,
        name,
        market: Market::OnDemand,
        default,
    }
}

const fn spot(code: &'static str, name: &'static str, default: u32) -> VcpuQuota {
    VcpuQuota {
        code,
        name,
        market: Market::Spot,
        default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quota_is_listed_once_and_named_after_its_market() {
        for (place, quota) in VCPU_QUOTAS.iter().enumerate() {
            let is_named_so = match quota.market {
                Market::OnDemand => quota.name.starts_with("Running On-Demand "),
                Market::Spot => quota.name.ends_with(" Spot Instance Requests"),
            };
            assert!(is_named_so, "{quota:?}");
            let others = &VCPU_QUOTAS[place + 1..];
            assert!(
                others.iter().all(|other| other.code != quota.code),
                "{quota:?}"
            );
        }
    }
}
