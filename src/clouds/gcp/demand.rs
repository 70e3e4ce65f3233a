//! Which quotas launching a virtual machine draws on: that of its GPUs, that of its CPUs, and the
//! project's over all regions.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::machines::{CpuQuota, boots_from_hyperdisk, machine, type_gpus};
use super::metrics::{CPUS_ALL_REGIONS, GPUS_ALL_REGIONS, PREEMPTIBLE_CPUS, key};
use crate::model::{Amount, Demand, Instance, Limit, Market, Snapshot};

/// The quotas that some regions or projects do not have, and that are drawn on where they are.
const OPTIONAL: [&str; 4] = [GPUS_ALL_REGIONS, CPUS_ALL_REGIONS, E2_CPUS, INSTANCES];

/// The codes of all quotas of spot launches begin so.
const PREEMPTIBLE: &str = "PREEMPTIBLE_";

const E2_CPUS: &str = "E2_CPUS";
const INSTANCES: &str = "INSTANCES";

/// Returns the demand of one instance in the region of `snapshot`.
pub(super) fn demand(instance: &Instance, market: Market, snapshot: &Snapshot) -> Demand {
    let region = Known(snapshot);
    let mut demand = Demand::default();
    let machine = match machine(instance) {
        Ok(machine) => machine,
        Err(why) => {
            demand.unmapped = Some(why);
            return demand;
        }
    };
    demand.unmapped = machine.unmapped;
    if let Some(gpus) = machine.gpus {
        let count = instance.gpu.as_ref().map(|gpu| gpu.count);
        let count = count.or_else(|| type_gpus(&instance.instance_type));
        let count = count.map(Amount::from);
        match (market, &gpus.preemptible) {
            (Market::OnDemand, _) => demand.take(key(&gpus.standard), count),
            (Market::Spot, Some(preemptible)) => {
                demand.take(key(region.spot_quota(preemptible, &gpus.standard)), count);
            }
            (Market::Spot, None) => {
                demand.unmapped = Some(format!(
                    "it is not known which quota spot instances of {} draw on",
                    instance.instance_type
                ));
            }
        }
        // GPUs of every kind and market count (documentation of Confidential Space, 2026).
        if region.may_have(GPUS_ALL_REGIONS) {
            demand.take(key(GPUS_ALL_REGIONS), count);
        }
    }
    if let Some(cpus) = machine.cpus {
        let count = instance.cpus.map(Amount::from);
        let standard = match cpus {
            CpuQuota::Of(code) => code,
            CpuQuota::E2 if region.may_have(E2_CPUS) => E2_CPUS.to_owned(),
            CpuQuota::E2 => "CPUS".to_owned(),
        };
        match market {
            Market::OnDemand => {
                demand.take(key(&standard), count);
                // Whether it counts spot is not documented, and a wrong `short` is worse than a
                // wrong `fits`.
                if region.may_have(CPUS_ALL_REGIONS) {
                    demand.take(key(CPUS_ALL_REGIONS), count);
                }
            }
            Market::Spot => {
                demand.take(key(region.spot_quota(PREEMPTIBLE_CPUS, &standard)), count);
            }
        }
    }
    if market == Market::OnDemand && region.may_have(INSTANCES) {
        demand.take(key(INSTANCES), Some(Amount::from(1u32)));
    }
    extras(&mut demand, instance);
    demand
}

/// Returns a number that is another one for regions in which some demand differs: by the quotas
/// that there are, and by the preemptible ones that were not granted.
pub(super) fn fingerprint(snapshot: &Snapshot) -> u64 {
    let region = Known(snapshot);
    let mut hasher = DefaultHasher::new();
    snapshot.quotas().is_empty().hash(&mut hasher);
    for code in OPTIONAL {
        region.may_have(code).hash(&mut hasher);
    }
    let codes = snapshot.quotas().iter().map(|quota| &*quota.key.code);
    let spot = codes.filter(|code| code.starts_with(PREEMPTIBLE));
    for granted in spot.filter(|code| region.spot_quota(code, "") == *code) {
        granted.hash(&mut hasher);
    }
    hasher.finish()
}

/// Adds the draws on disks and addresses, where the caller wants them judged.
fn extras(demand: &mut Demand, instance: &Instance) {
    if let Some(gib) = instance.disk_gb {
        let code = match boots_from_hyperdisk(&instance.instance_type) {
            true => "HDB_TOTAL_GB",
            false => "SSD_TOTAL_GB",
        };
        demand.take(key(code), Amount::from_gib(gib));
    }
    if instance.public_ip {
        // The region's addresses: the project's of that name are load balancers'.
        demand.take(key("IN_USE_ADDRESSES"), Some(Amount::from(1u32)));
    }
}

/// The quotas of a region, as far as they are known.
struct Known<'a>(&'a Snapshot);

impl Known<'_> {
    /// Whether the region may have a quota of this code: a region that was read and does not list
    /// it has none, and one that was not read may have any.
    fn may_have(&self, code: &str) -> bool {
        self.0.quotas().is_empty() || self.0.find(&key(code), None).is_some()
    }

    /// Returns the quota that spot launches draw on: the preemptible one where it was granted,
    /// which is then the only one, else the standard one (documentation of Spot VMs, 2026-03-19).
    ///
    /// A preemptible quota of an unknown limit stands for not knowing which: the verdict is then
    /// unknown, and it is what a verification has to read.
    fn spot_quota<'a>(&self, preemptible: &'a str, standard: &'a str) -> &'a str {
        if !self.may_have(preemptible) {
            return standard;
        }
        let row = self.0.find(&key(preemptible), None);
        match row.map(|row| row.limit) {
            // Asked for and denied reads the same as never asked for.
            Some(Limit::Known(limit)) if limit == Amount::ZERO => standard,
            _ => preemptible,
        }
    }
}
