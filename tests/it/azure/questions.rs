//! Fifty questions about launches on Azure.

use simulated_clouds::azure::{FamilyCategory, Reason, Restriction, SimulatedAzure, UsageRow};

use super::expected::ask;
use super::tables::{CATEGORIES, ON_DEMAND, RESTRICTED, SPOT, UNKNOWN};
use super::{azure, start};

fn prepare(azure: &SimulatedAzure) {
    let category = |state: &str| FamilyCategory {
        category: "generalPurposeCategory".to_owned(),
        provisioning_state: state.to_owned(),
    };
    azure.controls().edit(|subscription| {
        let families = [
            ("standardDSv5Family", "Succeeded"),
            ("standardFSv2Family", "Provisioning"),
        ];
        for (family, state) in families {
            subscription
                .categories
                .insert(family.to_owned(), category(state));
        }
        let general = subscription.locations.get_mut("northeurope").unwrap();
        let row = UsageRow {
            limit: 16,
            usage: 4,
        };
        general
            .usages
            .insert("generalPurposeCategory".to_owned(), row);
        let trial = Restriction::of_location(Reason::QuotaId);
        subscription.restrict("westeurope", "Standard_D4s_v5", trial.clone());
        subscription.restrict("uksouth", "Standard_D4s_v4", trial);
        let europe = subscription.locations.get_mut("westeurope").unwrap();
        europe.withheld.insert("Standard_E4s_v5".to_owned());
        subscription.set_limit("uksouth", "cores", None);
        subscription.set_limit("uksouth", "lowPriorityCores", None);
        subscription.set_limit("francecentral", "standardDSv5Family", None);
        subscription.set_limit("francecentral", "virtualMachines", Some(10));
        subscription.set_usage("francecentral", "virtualMachines", 8);
    });
}

#[tokio::test(start_paused = true)]
async fn fifty_questions_have_the_right_verdict_quota_and_numbers() {
    let azure = azure().await;
    prepare(&azure);
    let locations = [
        "eastus",
        "eastus2",
        "westeurope",
        "swedencentral",
        "westus3",
        "brazilsouth",
        "northeurope",
        "uksouth",
        "francecentral",
    ];
    let service = start(&azure, &locations).await;
    let all = [ON_DEMAND, SPOT, RESTRICTED, UNKNOWN, CATEGORIES].concat();
    assert!(all.len() >= 50, "{}", all.len());
    ask(&service, &all).await;
}
