//! The quotas by their codes: service, readable name, unit, and the launches that draw on them.
//!
//! A code is Compute Engine's own metric, such as `NVIDIA_L4_GPUS`, or one of a family as launch
//! errors name it, with the family behind a slash: `GPUS_PER_GPU_FAMILY/NVIDIA_H100`.

use std::sync::Arc;

use crate::model::{Amount, GIB, Limit, QuotaKey, QuotaMarket, Unit};

/// Every quota that is read is Compute Engine's.
const SERVICE: &str = "compute";

/// The global quotas that launches draw on, besides those of the region.
pub(super) const GPUS_ALL_REGIONS: &str = "GPUS_ALL_REGIONS";
pub(super) const CPUS_ALL_REGIONS: &str = "CPUS_ALL_REGIONS";

/// Preemptible CPUs have one quota for the machines of all families.
pub(super) const PREEMPTIBLE_CPUS: &str = "PREEMPTIBLE_CPUS";

/// The groups of quotas by family.
pub(super) const GPU_GROUP: &str = "GPUS_PER_GPU_FAMILY";
pub(super) const CPU_GROUP: &str = "CPUS_PER_VM_FAMILY";

/// "Unlimited" in Compute Engine, as a double: 2^63 - 1 has no nearer one.
const UNLIMITED: f64 = 9_223_372_036_854_775_807.0;

/// Returns the quota of this code.
pub(super) fn key(code: &str) -> QuotaKey {
    QuotaKey::new(SERVICE, code)
}

/// Returns the code of a family's quota.
pub(super) fn family_code(group: &str, family: &str) -> String {
    format!("{group}/{family}")
}

/// Returns the group and the family of a code, if it is a family's.
pub(super) fn family_of(code: &str) -> Option<(&'static str, &str)> {
    let (group, family) = code.split_once('/')?;
    let groups = [GPU_GROUP, CPU_GROUP].into_iter();
    let group = groups.into_iter().find(|known| *known == group)?;
    Some((group, family))
}

/// Whether a metric of the project is a limit on the launches of all regions together.
///
/// The others are of networks and images, or those of load balancers under the name of a region's
/// quota, such as `IN_USE_ADDRESSES`.
pub(super) fn is_global(metric: &str) -> bool {
    metric.ends_with("_ALL_REGIONS")
}

/// Returns the unit of a quota's numbers.
pub(super) fn unit(code: &str) -> Unit {
    match code {
        "INSTANCES" => Unit::Instance,
        _ if code.starts_with(GPU_GROUP) => Unit::Gpu,
        _ if code.starts_with(CPU_GROUP) => Unit::Vcpu,
        _ if counts_gib(code) => Unit::Byte,
        _ if code.starts_with("NVIDIA_") || words(code).any(|word| word == "GPUS") => Unit::Gpu,
        // `COMMITTED_NVIDIA_L4_GPUS` is above; what is left with a GPU's name counts workstations.
        _ if words(code).any(|word| word == "NVIDIA") => Unit::Gpu,
        _ if words(code).any(|word| word == "CPUS") => Unit::Vcpu,
        _ => Unit::Count,
    }
}

/// Returns which launches draw on a quota.
///
/// The standard ones are for launches on demand, and for spot where no preemptible quota was
/// granted.
pub(super) fn market(code: &str) -> QuotaMarket {
    match code {
        _ if code.starts_with("PREEMPTIBLE_") => QuotaMarket::Spot,
        _ if code.starts_with("COMMITTED_") => QuotaMarket::Reserved,
        CPUS_ALL_REGIONS => QuotaMarket::OnDemand,
        _ => QuotaMarket::Any,
    }
}

/// Returns a limit of Compute Engine in the unit of its code.
pub(super) fn limit(code: &str, limit: Option<f64>) -> Limit {
    match limit {
        Some(limit) if !(0.0..UNLIMITED).contains(&limit) => Limit::Unlimited,
        Some(limit) => amount(code, limit).map_or(Limit::Unknown, Limit::Known),
        None => Limit::Unknown,
    }
}

/// Returns a number of Compute Engine in the unit of its code.
pub(super) fn amount(code: &str, number: f64) -> Option<Amount> {
    match counts_gib(code) {
        true => Amount::new(number * GIB),
        false => Amount::new(number),
    }
}

/// Returns the size of the cloud's own unit in ours.
pub(super) fn unit_size(code: &str) -> f64 {
    if counts_gib(code) { GIB } else { 1.0 }
}

fn counts_gib(code: &str) -> bool {
    code.ends_with("_GB")
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split('_')
}

/// Returns a name for people, since Compute Engine gives none.
pub(super) fn name(code: &str) -> Arc<str> {
    let text = match family_of(code) {
        Some((GPU_GROUP, family)) => format!("{family}_GPUS"),
        Some((_, family)) => format!("{family}_CPUS"),
        None => code.to_owned(),
    };
    let mut name = String::with_capacity(text.len());
    for (place, word) in text.split('_').enumerate() {
        if place > 0 {
            name.push(' ');
        }
        match word {
            "GPUS" => name.push_str("GPUs"),
            "CPUS" => name.push_str("CPUs"),
            _ if is_acronym(word) => name.push_str(word),
            _ if place == 0 => {
                name.push_str(&word[..1]);
                name.push_str(&word[1..].to_ascii_lowercase());
            }
            _ => name.push_str(&word.to_ascii_lowercase()),
        }
    }
    name.into()
}

fn is_acronym(word: &str) -> bool {
    const ACRONYMS: &[&str] = &[
        "NVIDIA", "VWS", "SSD", "GB", "HDB", "HDT", "RTX", "VPN", "TPUS",
    ];
    word.is_empty()
        || !word.is_ascii()
        || ACRONYMS.contains(&word)
        || word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_tells_name_unit_and_market() {
        let told = |code: &str| (name(code).to_string(), unit(code), market(code));
        for (code, name, unit, market) in [
            (
                "NVIDIA_L4_GPUS",
                "NVIDIA L4 GPUs",
                Unit::Gpu,
                QuotaMarket::Any,
            ),
            (
                "PREEMPTIBLE_NVIDIA_A100_80GB_GPUS",
                "Preemptible NVIDIA A100 80GB GPUs",
                Unit::Gpu,
                QuotaMarket::Spot,
            ),
            (
                "NVIDIA_T4_VWS",
                "NVIDIA T4 VWS",
                Unit::Gpu,
                QuotaMarket::Any,
            ),
            (
                "PREEMPTIBLE_NVIDIA_T4_VWS",
                "Preemptible NVIDIA T4 VWS",
                Unit::Gpu,
                QuotaMarket::Spot,
            ),
            (
                "COMMITTED_NVIDIA_L4_GPUS",
                "Committed NVIDIA L4 GPUs",
                Unit::Gpu,
                QuotaMarket::Reserved,
            ),
            ("CPUS", "CPUs", Unit::Vcpu, QuotaMarket::Any),
            ("N2_CPUS", "N2 CPUs", Unit::Vcpu, QuotaMarket::Any),
            (
                "GPUS_ALL_REGIONS",
                "GPUs all regions",
                Unit::Gpu,
                QuotaMarket::Any,
            ),
            (
                "CPUS_ALL_REGIONS",
                "CPUs all regions",
                Unit::Vcpu,
                QuotaMarket::OnDemand,
            ),
            ("SSD_TOTAL_GB", "SSD total GB", Unit::Byte, QuotaMarket::Any),
            ("INSTANCES", "Instances", Unit::Instance, QuotaMarket::Any),
            (
                "IN_USE_ADDRESSES",
                "In use addresses",
                Unit::Count,
                QuotaMarket::Any,
            ),
            (
                "GPUS_PER_GPU_FAMILY/NVIDIA_H100_MEGA",
                "NVIDIA H100 mega GPUs",
                Unit::Gpu,
                QuotaMarket::Any,
            ),
            (
                "CPUS_PER_VM_FAMILY/C4",
                "C4 CPUs",
                Unit::Vcpu,
                QuotaMarket::Any,
            ),
        ] {
            assert_eq!(told(code), (name.to_owned(), unit, market), "{code}");
        }
    }

    #[test]
    fn limits_are_in_the_unit_of_the_quota_and_unknown_or_unlimited_where_they_are() {
        assert_eq!(
            limit("SSD_TOTAL_GB", Some(2.0)),
            Limit::Known(Amount::new(2.0 * GIB).unwrap())
        );
        assert_eq!(limit("CPUS", Some(0.0)), Limit::Known(Amount::ZERO));
        assert_eq!(limit("CPUS", None), Limit::Unknown);
        for unlimited in [-1.0, i64::MAX as f64, 1e300] {
            assert_eq!(limit("CPUS", Some(unlimited)), Limit::Unlimited);
        }
    }

    #[test]
    fn odd_codes_have_names_too() {
        for code in ["", "_", "__X", "Ü_GB", "a/b", "GPUS_PER_GPU_FAMILY/"] {
            let _ = name(code);
            let _ = unit(code);
        }
    }
}
