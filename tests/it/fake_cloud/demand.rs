//! The quotas that launches on the fake cloud draw from.

use quota_oracle::model::{Amount, Demand, Instance, Limit, Market, Snapshot};

use super::quotas::{GPUS, GPUS_EVERYWHERE, SPOT_GPUS, VCPUS, key};

/// Returns the demand of one instance in the region of `snapshot`.
pub(super) fn demand(instance: &Instance, market: Market, snapshot: &Snapshot) -> Demand {
    let mut demand = Demand::default();
    if let Some(gpu) = &instance.gpu {
        let count = Some(Amount::from(gpu.count));
        match gpu_quota(market, snapshot) {
            Some(code) => demand.take(key(code), count),
            None => {
                let reason = format!("it is not known whether {SPOT_GPUS} was granted");
                demand.unmapped = Some(reason);
            }
        }
        demand.take(key(GPUS_EVERYWHERE), count);
    }
    demand.take(key(VCPUS), instance.cpus.map(Amount::from));
    demand
}

/// Returns the code of the GPU quota of the region; nothing if it is not known which one it is.
///
/// Spot launches draw on their own quota where one was granted, else on that of all launches.
fn gpu_quota(market: Market, snapshot: &Snapshot) -> Option<&'static str> {
    let granted = match market {
        Market::OnDemand => Some(false),
        Market::Spot => snapshot
            .find(&key(SPOT_GPUS), None)
            .map_or(Some(false), |row| match row.limit {
                Limit::Known(limit) => Some(limit > Amount::ZERO),
                Limit::Unlimited => Some(true),
                Limit::Inherited | Limit::Unknown => None,
            }),
    };
    Some(if granted? { SPOT_GPUS } else { GPUS })
}
