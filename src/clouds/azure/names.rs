//! Names of quotas, which Azure spells differently from answer to answer.

use crate::model::{Quota, QuotaKey, QuotaMarket, Snapshot, Unit};

/// Virtual machines and their disks.
pub(super) const COMPUTE: &str = "Microsoft.Compute";

/// Addresses.
pub(super) const NETWORK: &str = "Microsoft.Network";

/// Total regional vCPUs, which every on-demand machine draws on.
pub(super) const CORES: &str = "cores";

/// Total regional low-priority vCPUs: those of all spot machines.
pub(super) const SPOT_CORES: &str = "lowPriorityCores";

/// The machines of a location.
pub(super) const MACHINES: &str = "virtualMachines";

/// dstack's disks are of this kind; it is their number that is limited.
pub(super) const DISKS: &str = "StandardSSDDiskCount";

/// Public addresses of any kind.
pub(super) const ADDRESSES: &str = "PublicIPAddresses";

/// Public addresses of the kind that is created today.
pub(super) const STANDARD_ADDRESSES: &str = "IPv4StandardSkuPublicIpAddresses";

pub(super) fn compute(code: &str) -> QuotaKey {
    QuotaKey::new(COMPUTE, code)
}

pub(super) fn network(code: &str) -> QuotaKey {
    QuotaKey::new(NETWORK, code)
}

/// The characters of a name that count: without white space, in lower case.
fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    let solid = name.chars().filter(|c| !c.is_whitespace());
    solid.map(|c| c.to_ascii_lowercase())
}

/// Returns a name in the one form that all its spellings have.
pub(super) fn folded(name: &str) -> String {
    letters(name).collect()
}

/// Whether two names are spellings of one: answers differ in case and white space.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

/// Returns the row of a quota by any spelling of its name.
pub(super) fn find<'a>(snapshot: &'a Snapshot, key: &QuotaKey) -> Option<&'a Quota> {
    // The spelling of the bundled table is that of most answers.
    snapshot.find(key, None).or_else(|| {
        let mut rows = snapshot.quotas().iter();
        rows.find(|row| row.key.service == key.service && is_same(&row.key.code, &key.code))
    })
}

/// Whether a quota is of a group of families, which since 2026 some subscriptions have.
pub(super) fn is_category(code: &str) -> bool {
    ends(code, "category")
}

fn is_family(code: &str) -> bool {
    ends(code, "family")
}

fn ends(code: &str, end: &str) -> bool {
    let start = code.len().checked_sub(end.len());
    let last = start.and_then(|start| code.get(start..));
    last.is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// Whether a quota is counted in GiB, and not in a number of things.
pub(super) fn is_in_gib(code: &str) -> bool {
    ends(code, "SizeInGB")
}

/// Returns the unit, which follows from the name only: Azure says "Count" of everything.
pub(super) fn unit(code: &str) -> Unit {
    match code {
        _ if is_family(code) || is_category(code) => Unit::Vcpu,
        _ if is_same(code, CORES) || is_same(code, SPOT_CORES) => Unit::Vcpu,
        _ if is_same(code, MACHINES) => Unit::Instance,
        _ if is_in_gib(code) => Unit::Byte,
        _ => Unit::Count,
    }
}

pub(super) fn market(code: &str) -> QuotaMarket {
    match code {
        _ if is_family(code) || is_category(code) || is_same(code, CORES) => QuotaMarket::OnDemand,
        _ if is_same(code, SPOT_CORES) => QuotaMarket::Spot,
        _ => QuotaMarket::Any,
    }
}

/// Whether the account may ask for more by itself (documentation of quotas, 2026): machines and
/// scale sets are raised by a support request only.
pub(super) fn is_adjustable(code: &str) -> Option<bool> {
    match unit(code) {
        Unit::Vcpu => Some(true),
        Unit::Instance => Some(false),
        _ if is_same(code, "virtualMachineScaleSets") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name_are_one_and_other_names_are_not() {
        assert!(is_same(
            "Standard NCASv3_T4 Family",
            "standardncasv3_t4family"
        ));
        assert!(is_same(
            "StandardNCADSA100v4Family",
            "standardNCADSA100v4Family"
        ));
        assert!(!is_same("standardNDSFamily", "standardNDSv2Family"));
        assert_eq!(
            folded("standard NDAMSv4_A100Family"),
            "standardndamsv4_a100family"
        );
    }

    #[test]
    fn a_row_is_what_its_name_says() {
        for (code, unit_, market_, adjustable) in [
            (
                "standardDSv3Family",
                Unit::Vcpu,
                QuotaMarket::OnDemand,
                Some(true),
            ),
            (
                "Standard NDASv4_A100 Family",
                Unit::Vcpu,
                QuotaMarket::OnDemand,
                Some(true),
            ),
            (
                "generalPurposeCategory",
                Unit::Vcpu,
                QuotaMarket::OnDemand,
                Some(true),
            ),
            ("cores", Unit::Vcpu, QuotaMarket::OnDemand, Some(true)),
            (
                "lowPriorityCores",
                Unit::Vcpu,
                QuotaMarket::Spot,
                Some(true),
            ),
            (
                "virtualMachines",
                Unit::Instance,
                QuotaMarket::Any,
                Some(false),
            ),
            (
                "virtualMachineScaleSets",
                Unit::Count,
                QuotaMarket::Any,
                Some(false),
            ),
            ("UltraSSDDiskSizeInGB", Unit::Byte, QuotaMarket::Any, None),
            ("StandardSSDDiskCount", Unit::Count, QuotaMarket::Any, None),
        ] {
            assert_eq!(unit(code), unit_, "{code}");
            assert_eq!(market(code), market_, "{code}");
            assert_eq!(is_adjustable(code), adjustable, "{code}");
        }
    }
}
