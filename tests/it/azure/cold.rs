//! A cold start of sixteen locations, and a list of sizes that hangs.

use std::time::Duration;

use simulated_clouds::azure::{Fault, Method, Reason, Restriction, Rule, Settings, SimulatedAzure};
use tokio::time::Instant;

use super::{azure, become_whole, gaps, judged, offer, refresh, region, row, setup};
use crate::harness::{Service, eventually, let_time_pass};

#[tokio::test(start_paused = true)]
async fn sixteen_locations_cost_one_call_of_each_kind_and_one_token() {
    let azure = SimulatedAzure::start(Settings::default()).await.unwrap();
    let service = setup(&azure, &[]).start().await;
    let controls = azure.controls();
    service.ready().await;
    let backends = service.get("/quotas").await.json();
    let regions = backends["backends"][0]["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 16);
    let names: Vec<_> = regions
        .iter()
        .map(|region| region["region"].as_str().unwrap())
        .collect();
    for name in &names {
        assert_eq!(controls.calls_about(Method::ListUsages, name), 1, "{name}");
        assert_eq!(
            controls.calls_about(Method::ListNetworkUsages, name),
            1,
            "{name}"
        );
        assert_eq!(
            row(&region(&service, name).await, "virtualMachines")["limit"],
            25_000
        );
    }
    eventually("all sizes are listed", async || {
        controls.calls(Method::ListSkus) == 16
    })
    .await;
    let_time_pass(Duration::from_secs(120)).await;
    for name in &names {
        assert_eq!(controls.calls_about(Method::ListSkus, name), 1, "{name}");
        assert_eq!(gaps(&region(&service, name).await), "null", "{name}");
    }
    assert_eq!(controls.most_concurrent(Method::ListSkus), 1);
    assert_eq!(controls.calls(Method::SignIn), 1);
    assert_eq!(controls.most_concurrent(Method::SignIn), 1);
    assert_eq!(controls.throttled(), 0);
    // The mapping of categories is asked for only where a category has a row.
    assert_eq!(controls.calls(Method::ListVmFamilies), 0);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_sizes_that_hangs_keeps_neither_callers_nor_quotas_nor_other_locations() {
    let azure = azure().await;
    let hang = Rule::new(Fault::Hang).on(Method::ListSkus).of("eastus");
    azure.controls().inject(hang);
    let locations = ["eastus", "eastus2", "westeurope"];
    let service = setup(&azure, &locations)
        .set("backends.0.preload", false)
        .start()
        .await;
    for name in locations {
        let asked = Instant::now();
        let body = region(&service, name).await;
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{name} took {:?}",
            asked.elapsed()
        );
        assert_eq!(row(&body, "virtualMachines")["limit"], 25_000, "{body}");
    }
    // The table tells families until the list is there.
    let verdict = judged(&service, 1, &[offer("eastus", "Standard_D4s_v5", false)])
        .await
        .remove(0);
    assert_eq!(verdict["availability"], "available", "{verdict}");
    // The one that hangs is given up after 30 s, and the others take their turn.
    become_whole(&service, "eastus2").await;
    become_whole(&service, "westeurope").await;
    let told = gaps(&region(&service, "eastus").await);
    assert!(
        told.contains("sizes of eastus") && told.contains("timeout"),
        "{told}"
    );
    assert_eq!(azure.controls().most_concurrent(Method::ListSkus), 1);
    let restricted = offer("eastus2", "Standard_D4s_v5", true);
    assert_eq!(
        judged(&service, 1, &[restricted]).await[0]["availability"],
        "available"
    );

    // Usage goes on being read, and what heals is taken up without a restart.
    azure
        .controls()
        .edit(|subscription| subscription.set_usage("eastus", "cores", 140));
    assert_eq!(refresh(&service, "eastus").await, 200);
    assert_eq!(
        row(&region(&service, "eastus").await, "cores")["usage"],
        140
    );
    azure.controls().clear_faults();
    become_whole(&service, "eastus").await;
}

#[tokio::test(start_paused = true)]
async fn restrictions_outlive_a_restart_after_which_the_list_cannot_be_read() {
    let azure = azure().await;
    azure.controls().edit(|subscription| {
        let held = Restriction::of_location(Reason::NotAvailableForSubscription);
        subscription.restrict("eastus2", "Standard_D4s_v5", held);
    });
    let setup = setup(&azure, &["eastus2"]).set("cache.directory", "data");
    let said = async |service: &Service| {
        let offers = [offer("eastus2", "Standard_D4s_v5", false)];
        judged(service, 1, &offers).await.remove(0)["availability"].clone()
    };
    let service = setup.start().await;
    service.ready().await;
    become_whole(&service, "eastus2").await;
    assert_eq!(said(&service).await, "not_available");
    service.stop().await;

    let denied = Rule::new(Fault::AuthorizationFailed).on(Method::ListSkus);
    azure.controls().inject(denied);
    let service = setup.start().await;
    service.ready().await;
    assert_eq!(refresh(&service, "eastus2").await, 200);
    assert_eq!(refresh(&service, "eastus2").await, 200);
    let told = gaps(&region(&service, "eastus2").await);
    assert!(told.contains("Microsoft.Compute/skus/read"), "{told}");
    assert_eq!(said(&service).await, "not_available");

    azure.controls().clear_faults();
    azure.controls().edit(|subscription| {
        let eastus2 = subscription.locations.get_mut("eastus2").unwrap();
        eastus2.restrictions.remove("Standard_D4s_v5");
    });
    assert_eq!(refresh(&service, "eastus2").await, 200);
    let_time_pass(Duration::from_secs(4)).await;
    assert_eq!(refresh(&service, "eastus2").await, 200);
    assert_eq!(gaps(&region(&service, "eastus2").await), "null");
    assert_eq!(said(&service).await, "available");
}
