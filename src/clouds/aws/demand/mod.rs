//! Which AWS quotas a launch draws on.
//!
//! EC2 counts the vCPUs of all running instances of a group of families against one quota, and
//! those of spot requests against another. The group is told by the letters that a family's name
//! starts with, all of them: `dl1` is no D, `inf2` no I, `trn1` no T, and `gr6` is a G.

use super::known_codes::GP3_STORAGE;
use super::overrides::QuotaOverrides;
use super::vcpu_quotas::{EC2, VCPU_QUOTAS};
use crate::model::{Amount, Demand, Instance, Market, QuotaKey};

/// A group of families that share a quota.
struct Group {
    /// The start of their names, up to the first digit or dash.
    prefixes: &'static [&'static str],
    on_demand: &'static str,
    spot: Spot,
}

/// The quota of a group's spot requests.
enum Spot {
    /// This one.
    Code(&'static str),
    /// AWS has none, as these are not sold as spot instances.
    NotSold,
    /// One for each of these generations.
    ByGeneration(&'static [(u32, &'static str)]),
}

const GROUPS: [Group; 10] = [
    Group {
        // From cc to hs are retired; their accounts may still run them.
        prefixes: &[
            "a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z", "cc", "cg", "cr", "hi", "hs",
        ],
        on_demand: "L-1216C47A",
        spot: Spot::Code("L-34B43A08"),
    },
    Group {
        prefixes: &["g", "gr", "vt"],
        on_demand: "L-DB2E81BA",
        spot: Spot::Code("L-3819A6DF"),
    },
    Group {
        prefixes: &["p"],
        on_demand: "L-417A185B",
        // No page of AWS names the quota of newer generations, and what others say differs.
        spot: Spot::ByGeneration(&[
            (2, "L-7212CCBC"),
            (3, "L-7212CCBC"),
            (4, "L-7212CCBC"),
            (5, "L-C4BD4855"),
        ]),
    },
    Group {
        prefixes: &["dl"],
        on_demand: "L-6E869C2A",
        spot: Spot::Code("L-85EED4F7"),
    },
    Group {
        prefixes: &["f"],
        on_demand: "L-74FC7D96",
        spot: Spot::Code("L-88CF9481"),
    },
    Group {
        prefixes: &["inf"],
        on_demand: "L-1945791B",
        spot: Spot::Code("L-B5D1601B"),
    },
    Group {
        prefixes: &["trn"],
        on_demand: "L-2C3B7624",
        spot: Spot::Code("L-6B0D517C"),
    },
    Group {
        prefixes: &["x"],
        on_demand: "L-7295265B",
        spot: Spot::Code("L-E3A00192"),
    },
    Group {
        prefixes: &["hpc"],
        on_demand: "L-F7808C92",
        spot: Spot::NotSold,
    },
    Group {
        // High Memory: u-6tb1, u7i-12tb, u7in-32tb.
        prefixes: &["u"],
        on_demand: "L-43DA4232",
        spot: Spot::NotSold,
    },
];

/// The quotas that launching `instance` draws on.
///
/// A public address is not among them: those that EC2 assigns do not count as Elastic IPs.
pub(super) fn demand(instance: &Instance, market: Market, overrides: &QuotaOverrides) -> Demand {
    let mut demand = Demand::default();
    match vcpu_quota(&instance.instance_type, market, overrides) {
        Ok(quota) => demand.take(quota, instance.cpus.map(Amount::from)),
        Err(why) => demand.unmapped = Some(why),
    }
    if let Some(disk_gb) = instance.disk_gb {
        let (service, code) = GP3_STORAGE;
        demand.take(QuotaKey::new(service, code), Amount::from_gib(disk_gb));
    }
    demand
}

/// Returns the code and name of the quota that counts the vCPUs of a type, where the built-in table
/// knows it.
pub(super) fn launch_quota(
    instance_type: &str,
    market: Market,
) -> Option<(&'static str, &'static str)> {
    let key = vcpu_quota(instance_type, market, &QuotaOverrides::default()).ok()?;
    let known = VCPU_QUOTAS.iter().find(|quota| *quota.code == *key.code)?;
    Some((known.code, known.name))
}

/// The quotas that count the spot requests of the families of an on-demand quota.
pub(super) fn spot_counterparts(on_demand: &QuotaKey) -> Vec<QuotaKey> {
    let group = GROUPS
        .iter()
        .find(|group| *on_demand.service == *EC2 && *on_demand.code == *group.on_demand);
    let mut codes: Vec<&str> = match group.map(|group| &group.spot) {
        Some(Spot::Code(code)) => vec![code],
        Some(Spot::ByGeneration(codes)) => codes.iter().map(|(_, code)| *code).collect(),
        Some(Spot::NotSold) | None => Vec::new(),
    };
    codes.dedup();
    let keys = codes.into_iter().map(|code| QuotaKey::new(EC2, code));
    keys.collect()
}

/// The quota that counts the vCPUs of a type, or a sentence that says why none is known.
fn vcpu_quota(
    instance_type: &str,
    market: Market,
    overrides: &QuotaOverrides,
) -> Result<QuotaKey, String> {
    let instance_type = instance_type.to_ascii_lowercase();
    let family = instance_type.split('.').next().unwrap_or_default();
    if let Some(quota) = overrides.quota(&instance_type, family, market) {
        return Ok(quota.clone());
    }
    let letters = family.bytes().take_while(u8::is_ascii_lowercase).count();
    let (prefix, rest) = family.split_at(letters);
    if prefix == "mac" {
        return Err(format!(
            "{family} runs on dedicated hosts only, which no vCPU quota counts"
        ));
    }
    let group = GROUPS
        .iter()
        .find(|group| group.prefixes.contains(&prefix))
        .ok_or_else(|| format!("no vCPU quota is known for the instance family {family}"))?;
    let code = match (market, &group.spot) {
        (Market::OnDemand, _) => Some(group.on_demand),
        (Market::Spot, Spot::Code(code)) => Some(*code),
        (Market::Spot, Spot::NotSold) => None,
        (Market::Spot, Spot::ByGeneration(codes)) => generation(rest).and_then(|generation| {
            let known = codes.iter().find(|(known, _)| *known == generation);
            known.map(|(_, code)| *code)
        }),
    };
    code.map(|code| QuotaKey::new(EC2, code))
        .ok_or_else(|| format!("no vCPU quota is known for spot instances of {family}"))
}

/// The number that the rest of a family's name starts with.
fn generation(rest: &str) -> Option<u32> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests;
