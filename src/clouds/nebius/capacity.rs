//! Nebius's advice on what can be allocated now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nebius_api::capacity::v1::ResourceAdvice;
use nebius_api::capacity::v1::resource_advice_spec::ResourceDetails;
use nebius_api::capacity::v1::resource_advice_status::Availability;
use nebius_api::capacity::v1::resource_advice_status::availability::{
    AvailabilityLevel, DataState,
};

use crate::model::{Capacity, CapacityLevel, Market, Region};

/// The advice per region, one entry for each instance type and market that it speaks of.
///
/// Each fabric has a row of its own. They are clipped by the same quota, so that their sum would
/// count it twice: the roomiest fabric is what an instance can be had on.
pub(super) fn understand(rows: &[ResourceAdvice]) -> BTreeMap<Region, Vec<Capacity>> {
    let mut best: BTreeMap<(Region, String, Market), Capacity> = BTreeMap::new();
    for row in rows {
        let Some((region, instance_type)) = subject(row) else {
            continue;
        };
        let Some(status) = &row.status else {
            continue;
        };
        let markets = [
            (Market::OnDemand, &status.on_demand),
            (Market::Spot, &status.preemptible),
        ];
        for (market, availability) in markets {
            let Some(availability) = availability.as_ref() else {
                continue;
            };
            let Some(found) = capacity(&instance_type, market, availability) else {
                continue;
            };
            let key = (region.clone(), instance_type.clone(), market);
            match best.get(&key) {
                Some(known) if known.available >= found.available => {}
                _ => {
                    best.insert(key, found);
                }
            }
        }
    }
    let mut regions: BTreeMap<Region, Vec<Capacity>> = BTreeMap::new();
    for ((region, _, _), capacity) in best {
        regions.entry(region).or_default().push(capacity);
    }
    regions
}

/// The region and the instance type, in dstack's naming.
fn subject(row: &ResourceAdvice) -> Option<(Region, String)> {
    let spec = row.spec.as_ref()?;
    let Some(ResourceDetails::ComputeInstance(instance)) = &spec.resource_details else {
        return None;
    };
    let preset = instance.preset.as_ref()?;
    let instance_type = format!("{} {}", instance.platform, preset.name);
    Some((Region::from(&*spec.region), instance_type))
}

fn capacity(instance_type: &str, market: Market, availability: &Availability) -> Option<Capacity> {
    // Anything but fresh is what the cloud itself does not stand by.
    if availability.data_state() != DataState::Fresh {
        return None;
    }
    Some(Capacity {
        instance_type: instance_type.into(),
        market,
        level: match availability.availability_level() {
            AvailabilityLevel::High => CapacityLevel::High,
            AvailabilityLevel::Medium => CapacityLevel::Medium,
            AvailabilityLevel::Low => CapacityLevel::Low,
            AvailabilityLevel::LimitReached => CapacityLevel::LimitReached,
            AvailabilityLevel::Unspecified | AvailabilityLevel::Unknown => CapacityLevel::Unknown,
        },
        available: availability.available,
        as_of: availability
            .effective_at
            .and_then(|at| Timestamp::new(at.seconds, at.nanos).ok()),
    })
}
