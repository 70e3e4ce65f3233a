//! Demand, held against every size of the bundled catalog.

mod credentials;
mod demand;
mod errors;
mod sizes;

use super::names::folded;
use super::quotas::{Categories, Place, quotas};
use super::settings::AzureCloud;
use super::wire::{UsageName, UsageRow};
use crate::clouds::kit::Sent;
use crate::model::{Instance, Region, Snapshot};

/// A location with these limits and nothing used.
fn location(rows: &[(&str, i64)], categories: Option<&[(&str, &str)]>) -> Snapshot {
    let rows = rows.iter().map(|(code, limit)| Sent {
        value: UsageRow {
            name: UsageName {
                value: (*code).to_owned(),
                localized_value: String::new(),
            },
            limit: Some(*limit),
            current_value: Some(0),
        },
        at: None,
    });
    let rows: Vec<_> = rows.collect();
    let categories = categories.map(|pairs| -> Categories {
        let pairs = pairs.iter();
        pairs.map(|(one, of)| (folded(one), folded(of))).collect()
    });
    let place = Place {
        cloud: AzureCloud::Public,
        subscription: "sub",
        location: &Region::from("eastus"),
    };
    Snapshot::new(quotas(
        place,
        super::names::COMPUTE,
        &rows,
        categories.as_ref(),
    ))
}

fn instance(size: &str, cpus: Option<u32>) -> Instance {
    Instance {
        instance_type: size.into(),
        cpus,
        memory_gb: None,
        gpu: None,
        disk_gb: None,
        public_ip: false,
    }
}
