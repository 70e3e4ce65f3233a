//! Which quotas launching a virtual machine draws on.
//!
//! On demand both the family's vCPUs and the location's are limited; spot machines of all families
//! share one quota of their own and draw on neither (documentation of quotas and of spot quotas,
//! 2026). GPU families count vCPUs too.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::families::Families;
use super::names::{
    ADDRESSES, CORES, DISKS, MACHINES, SPOT_CORES, STANDARD_ADDRESSES, compute, find, is_category,
    network,
};
use super::quotas::{CountedBy, counted_by};
use crate::model::{Amount, Demand, Instance, Market, QuotaKey, Snapshot};

/// Returns the demand of one instance in the location of `snapshot`.
pub(super) fn demand(
    families: &Families,
    instance: &Instance,
    market: Market,
    snapshot: &Snapshot,
) -> Demand {
    let location = Known(snapshot);
    let size = families.of(&instance.instance_type);
    let cpus = instance.cpus.or(size.as_ref().and_then(|size| size.vcpus));
    let cpus = cpus.map(Amount::from);
    let mut demand = Demand::default();
    let name = &instance.instance_type;
    match (market, &size) {
        (Market::OnDemand, Some(size)) => match counted_by(snapshot, &size.family) {
            CountedBy::Family => demand.take(location.spelled(compute(&size.family)), cpus),
            CountedBy::Category(category) => demand.take(category, cpus),
            CountedBy::Unknown => {
                demand.unmapped = Some(format!(
                    "the subscription has quota categories, and it is not known to which the \
                     family of {name} belongs"
                ));
            }
        },
        (Market::Spot, Some(_)) => {}
        (_, None) => demand.unmapped = Some(format!("the family of {name} is not known")),
    }
    let cores = match market {
        Market::OnDemand => CORES,
        Market::Spot => SPOT_CORES,
    };
    demand.take(location.spelled(compute(cores)), cpus);
    let one = Some(Amount::from(1u32));
    let mut take_one = |key: QuotaKey, is_certain: bool| {
        if is_certain || location.may_have(&key) {
            demand.take(location.spelled(key), one);
        }
    };
    // For spot nothing says whether it counts; it is far from full in most accounts.
    take_one(compute(MACHINES), false);
    if instance.disk_gb.is_some() {
        // Disks are limited by their number, whatever their size.
        take_one(compute(DISKS), true);
    }
    if instance.public_ip {
        take_one(network(ADDRESSES), true);
        take_one(network(STANDARD_ADDRESSES), false);
    }
    demand
}

/// Returns a number that is another one for locations in which some demand differs: by the quotas
/// that there are and their spelling, by the families that each category has, and by what the lists
/// of sizes have told.
pub(super) fn fingerprint(families: &Families, snapshot: &Snapshot) -> u64 {
    let mut hasher = DefaultHasher::new();
    families.fingerprint().hash(&mut hasher);
    for row in snapshot.quotas() {
        row.key.hash(&mut hasher);
        if is_category(&row.key.code) {
            let native = row.native.as_ref();
            native.map(|native| &native.members).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The quotas of a location, as far as they are known.
struct Known<'a>(&'a Snapshot);

impl Known<'_> {
    /// Returns the quota as the location spells it.
    fn spelled(&self, key: QuotaKey) -> QuotaKey {
        find(self.0, &key).map_or(key, |row| row.key.clone())
    }

    /// Whether the location may have a quota: one that was read and does not list it has none, and
    /// one whose provider was not read may have any.
    fn may_have(&self, key: &QuotaKey) -> bool {
        let mut rows = self.0.quotas().iter();
        let is_read = rows.any(|row| row.key.service == key.service);
        !is_read || find(self.0, key).is_some()
    }
}
