//! Usages of the compute and network providers, the families' categories, and the locations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::controls::{Controls, Method};
use super::errors::{self, Refusal};
use super::gate::Admitted;
use super::pages::page;
use super::request::Asked;
use super::{LocationState, UsageRow};

/// The usages of one of the providers.
pub(super) fn list(
    controls: &Controls,
    asked: &Asked,
    admitted: &Admitted,
) -> Result<Value, Refusal> {
    let state = controls.state();
    let location = &asked.location;
    let found = state.subscription.served(location);
    let found = found.ok_or_else(|| errors::no_registered_provider(asked))?;
    let scope = format!("/subscriptions/{}/providers", state.subscription.id);
    let (rows, path) = match asked.method {
        Method::ListNetworkUsages => {
            let path = format!("{scope}/Microsoft.Network/locations/{location}/usages");
            let mut listed = rows(&found.network_usages);
            for row in &mut listed {
                let name = row["name"]["value"].as_str().unwrap_or_default();
                row["id"] = format!("{path}/{name}").into();
            }
            (listed, path)
        }
        _ => {
            let path = format!("{scope}/Microsoft.Compute/locations/{location}/usages");
            (rows(&found.usages), path)
        }
    };
    Ok(page(&state, asked, admitted.links, &path, &rows))
}

fn rows(usages: &BTreeMap<String, UsageRow>) -> Vec<Value> {
    let rows = usages.iter().map(|(name, row)| {
        json!({
            "limit": row.limit,
            "unit": "Count",
            "currentValue": row.usage,
            "name": {"value": name, "localizedValue": localized(name)},
        })
    });
    rows.collect()
}

/// The name that the portal shows, which nobody should compare.
fn localized(name: &str) -> String {
    match name {
        "cores" => "Total Regional vCPUs".to_owned(),
        "lowPriorityCores" => "Total Regional Low-priority vCPUs".to_owned(),
        "virtualMachines" => "Virtual Machines".to_owned(),
        "virtualMachineScaleSets" => "Virtual Machine Scale Sets".to_owned(),
        "availabilitySets" => "Availability Sets".to_owned(),
        _ => {
            let lower = name.to_ascii_lowercase();
            match lower
                .strip_prefix("standard")
                .zip(lower.strip_suffix("family"))
            {
                Some(_) => {
                    let inner = &name["standard".len()..name.len() - "family".len()];
                    format!("Standard {} Family vCPUs", inner.trim())
                }
                None => name.to_owned(),
            }
        }
    }
}

/// The families and their quota categories.
pub(super) fn families(controls: &Controls, asked: &Asked, admitted: &Admitted) -> Value {
    let state = controls.state();
    let location = &asked.location;
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.ComputeLimit/locations/{location}/vmFamilies",
        state.subscription.id
    );
    let families = state.subscription.categories.iter().map(|(name, family)| {
        json!({
            "id": format!("{path}/{name}"),
            "name": name,
            "type": "Microsoft.ComputeLimit/locations/vmFamilies",
            "properties": {
                "category": family.category,
                "provisioningState": family.provisioning_state,
            },
        })
    });
    let families: Vec<_> = families.collect();
    page(&state, asked, admitted.links, &path, &families)
}

/// The locations of the subscription, with those that are only names for several of them.
pub(super) fn locations(controls: &Controls) -> Value {
    let state = controls.state();
    let id = &state.subscription.id;
    let locations = state.subscription.locations.iter();
    let locations: Vec<_> = locations
        .map(|(name, location)| location_document(id, name, location))
        .collect();
    json!({ "value": locations })
}

fn location_document(subscription: &str, name: &str, location: &LocationState) -> Value {
    let mut document = json!({
        "id": format!("/subscriptions/{subscription}/locations/{name}"),
        "name": name,
        "type": "Region",
        "displayName": location.display_name,
        "regionalDisplayName": location.display_name,
        "metadata": {"regionType": "Logical", "regionCategory": "Other"},
    });
    if location.is_physical {
        document["metadata"] = json!({
            "regionType": "Physical", "regionCategory": "Recommended",
            "geography": "Simulated", "geographyGroup": "Simulated", "pairedRegion": [],
        });
        let zones = ["1", "2", "3"]
            .map(|zone| json!({"logicalZone": zone, "physicalZone": format!("{name}-az{zone}")}));
        document["availabilityZoneMappings"] = json!(zones);
    }
    document
}
