use serde_json::json;

use crate::clouds::azure::families::bundled_names;
use crate::clouds::azure::sizes::SizeList;
use crate::clouds::azure::wire::SkuRow;
use crate::model::{Market, Region, Restriction, RestrictionKind};

/// A row as Azure sends it.
fn row(name: &str, spot: &str, restrictions: serde_json::Value) -> SkuRow {
    let row = json!({
        "resourceType": "virtualMachines", "name": name, "tier": "Standard", "family": "standardDSv5Family",
        "locations": ["EastUS"],
        "locationInfo": [{"location": "EastUS", "zones": ["1", "2", "3"], "zoneDetails": []}],
        "capabilities": [{"name": "vCPUs", "value": "4"}, {"name": "LowPriorityCapable", "value": spot}],
        "restrictions": restrictions,
    });
    serde_json::from_value(row).unwrap()
}

fn restriction(kind: &str, reason: &str) -> serde_json::Value {
    let zones = json!(["1", "3"]);
    json!({"type": kind, "values": ["EastUS"], "reasonCode": reason,
           "restrictionInfo": {"locations": ["EastUS"], "zones": zones}})
}

fn of<'a>(restrictions: &'a [Restriction], size: &str) -> Vec<&'a Restriction> {
    let size = size.to_ascii_lowercase();
    let of = |one: &&Restriction| one.instance_type.to_ascii_lowercase() == size;
    restrictions.iter().filter(of).collect()
}

#[test]
fn each_restriction_is_told_with_its_market_and_its_reason() {
    let here = Region::from("eastus");
    let zone = restriction("Zone", "NotAvailableForSubscription");
    let rows = [
        row("Standard_D2s_v5", "True", json!([])),
        row(
            "Standard_D4s_v5",
            "True",
            json!([restriction("Location", "QuotaId")]),
        ),
        row(
            "Standard_D8s_v5",
            "True",
            json!([zone, restriction("Location", "NotAvailableForSubscription")]),
        ),
        row("Standard_B2s", "False", json!([])),
        row("Standard_D16s_v5", "True", json!([zone])),
    ];
    let list = SizeList::new(&here, &rows);
    assert_eq!(list.sizes().count(), 5);
    let restrictions = list.restrictions(&here, bundled_names());
    assert!(of(&restrictions, "Standard_D2s_v5").is_empty());
    let trial = of(&restrictions, "Standard_D4s_v5");
    assert_eq!(
        (trial.len(), trial[0].kind),
        (1, RestrictionKind::Subscription)
    );
    assert_eq!(
        trial[0].market,
        Some(Market::OnDemand),
        "nothing says that it binds spot"
    );
    assert!(trial[0].reason.contains("QuotaId"));
    let held = of(&restrictions, "Standard_D8s_v5");
    let kinds: Vec<_> = held.iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        [RestrictionKind::Subscription, RestrictionKind::Zones]
    );
    assert!(held[0].reason.contains("support request"));
    let burstable = of(&restrictions, "Standard_B2s")[0];
    assert_eq!(
        (burstable.kind, burstable.market),
        (RestrictionKind::NotOffered, Some(Market::Spot))
    );
    let zones = of(&restrictions, "Standard_D16s_v5")[0];
    assert!(!zones.kind.prevents_launch());
    assert!(zones.reason.contains("1, 3"), "{}", zones.reason);
}

#[test]
fn a_size_that_the_location_does_not_list_is_not_offered_in_any_market() {
    let here = Region::from("eastus");
    let list = SizeList::new(&here, &[row("STANDARD_d2s_V5", "True", json!([]))]);
    let restrictions = list.restrictions(&here, bundled_names());
    assert_eq!(restrictions.len(), bundled_names().count() - 1);
    let missing = of(&restrictions, "Standard_ND96isr_H100_v5")[0];
    assert_eq!(
        (missing.kind, missing.market),
        (RestrictionKind::NotOffered, None)
    );
    assert!(restrictions.is_sorted_by_key(|one| one.instance_type.clone()));
}

#[test]
fn disks_and_rows_of_other_locations_are_no_sizes_and_odd_rows_do_no_harm() {
    let here = Region::from("eastus");
    let rows: Vec<SkuRow> = serde_json::from_value(json!([
        {"resourceType": "disks", "name": "Standard_LRS", "capabilities": [{"name": "vCPUs", "value": "9"}]},
        {"resourceType": "hostGroups/hosts", "name": "DSv3-Type1"},
        {"resourceType": "virtualMachines", "name": "Standard_D2s_v5", "locations": ["westus"]},
        {"resourceType": "VirtualMachines", "name": "Standard_D4s_v5", "family": null, "locations": null,
         "capabilities": null, "restrictions": [{"type": "Location", "restrictionInfo": null}]},
        {},
    ]))
    .unwrap();
    let list = SizeList::new(&here, &rows);
    let names: Vec<_> = list.sizes().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["standard_d4s_v5"]);
    let found = list.restrictions(&here, bundled_names());
    assert_eq!(
        of(&found, "Standard_D4s_v5")[0].kind,
        RestrictionKind::Subscription
    );
}
