//! Rows as callers see them; disks, addresses, verification, leases.

use reqwest::Method as Verb;
use serde_json::json;
use simulated_clouds::azure::{Method, UsageRow};

use super::{azure, judged, offer, region, row, start};

#[tokio::test(start_paused = true)]
async fn a_row_has_azures_own_code_its_unit_and_the_page_that_raises_it() {
    let azure = azure().await;
    let service = start(&azure, &["eastus"]).await;
    let body = region(&service, "eastus").await;
    assert_eq!(body["account"], simulated_clouds::azure::SUBSCRIPTION_ID);
    let t4 = row(&body, "Standard NCASv3_T4 Family");
    assert_eq!(
        (&t4["limit"], &t4["usage"], &t4["available"]),
        (&json!(64), &json!(4), &json!(60))
    );
    assert_eq!(
        (&t4["unit"], &t4["market"], &t4["adjustable"]),
        (&json!("vcpu"), &json!("on_demand"), &json!(true))
    );
    let page = t4["increase_url"].as_str().unwrap();
    assert!(
        page.contains("UsageAndQuota.ReactView") && page.contains("NCASv3%5FT4"),
        "{page}"
    );
    let spot = row(&body, "lowPriorityCores");
    assert_eq!(
        (&spot["market"], &spot["limit"]),
        (&json!("spot"), &json!(100))
    );
    let machines = row(&body, "virtualMachines");
    assert_eq!(
        (&machines["unit"], &machines["adjustable"]),
        (&json!("instance"), &json!(false))
    );
    // A family that the location does not offer has a real zero; no limit at all is no number.
    assert_eq!(row(&body, "standardNCSv3Family")["limit"], 0);
    let prefixes = row(&body, "PublicIPPrefixes");
    assert_eq!(
        (&prefixes["limit"], &prefixes["limit_kind"]),
        (&json!(null), &json!("unlimited"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_one_of_so_many_and_an_address_is_judged_when_it_is_asked_for() {
    let azure = azure().await;
    azure.controls().edit(|subscription| {
        let france = subscription.locations.get_mut("francecentral").unwrap();
        let disks = UsageRow {
            limit: 50_000,
            usage: 49_998,
        };
        france
            .usages
            .insert("StandardSSDDiskCount".to_owned(), disks);
        let addresses = UsageRow {
            limit: 20,
            usage: 19,
        };
        france
            .network_usages
            .insert("IPv4StandardSkuPublicIpAddresses".to_owned(), addresses);
    });
    let service = start(&azure, &["francecentral"]).await;
    let with = |extra: &str, value: serde_json::Value| {
        let mut offer = offer("francecentral", "Standard_D4s_v3", true);
        offer[extra] = value;
        offer
    };
    let offers = [
        with("disk_gb", json!(4096)),
        with("public_ip", json!(true)),
        with("spot", json!(true)),
    ];
    let verdicts = judged(&service, 2, &offers).await;
    let said = |place: usize| {
        let quota = &verdicts[place]["quota"];
        (
            quota["verdict"].as_str().unwrap(),
            quota["binding"]["code"].as_str().unwrap(),
        )
    };
    assert_eq!(
        said(0),
        ("fits", "StandardSSDDiskCount"),
        "two disks, whatever their size"
    );
    assert_eq!(said(1), ("short", "IPv4StandardSkuPublicIpAddresses"));
    assert_eq!(said(2), ("fits", "lowPriorityCores"));
}

#[tokio::test(start_paused = true)]
async fn a_verification_reads_the_location_once_and_its_lease_holds_family_and_total() {
    let azure = azure().await;
    let service = start(&azure, &["eastus"]).await;
    azure.controls().reset_calls();
    azure
        .controls()
        .edit(|subscription| subscription.set_usage("eastus", "standardDSv5Family", 88));
    let verify = service.request(Verb::POST, "/verify");
    let body = json!({"offer": offer("eastus", "Standard_D4s_v5", false), "count": 3, "max_age": "0s", "lease": "5m"});
    let answer = service.send(verify.json(&body)).await.json();
    assert_eq!(answer["verified"], true, "{answer}");
    assert_eq!(
        (&answer["quota"]["verdict"], &answer["launchable"]),
        (&json!("fits"), &json!(3))
    );
    let holds = answer["lease"]["holds"].as_array().unwrap().iter();
    let holds: Vec<_> = holds
        .map(|hold| {
            (
                hold["code"].as_str().unwrap(),
                hold["amount"].as_f64().unwrap(),
            )
        })
        .collect();
    assert!(
        holds.contains(&("standardDSv5Family", 12.0)) && holds.contains(&("cores", 12.0)),
        "{holds:?}"
    );
    assert_eq!(azure.controls().calls(Method::ListUsages), 1);
    assert_eq!(azure.controls().calls(Method::ListNetworkUsages), 0);
    assert_eq!(azure.controls().calls(Method::ListSkus), 0);
    let body = region(&service, "eastus").await;
    assert_eq!(row(&body, "standardDSv5Family")["available"], 0);
    assert_eq!(row(&body, "cores")["available"], 456);
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_launch_states_is_learnt_for_the_row_that_it_means() {
    let azure = azure().await;
    let service = start(&azure, &["eastus"]).await;
    for (named, code, limit, needed) in [
        (
            "Standard NCASv3_T4 Family Cores",
            "Standard NCASv3_T4 Family",
            64,
            4,
        ),
        ("standardDSv5Family Cores", "standardDSv5Family", 100, 4),
        ("Total Regional Cores", "cores", 600, 4),
        ("LowPriorityCores", "lowPriorityCores", 100, 4),
    ] {
        let message = format!(
            "Operation could not be completed as it results in exceeding approved {named} quota. \
             Additional details - Deployment Model: Resource Manager, Location: eastus, Current \
             Limit: {limit}, Current Usage: {limit}, Additional Required: {needed}, (Minimum) New \
             Limit Required: {}.",
            limit + needed
        );
        let feedback = service.request(Verb::POST, "/feedback");
        let body = json!({
            "backend": "azure", "region": "eastus", "instance_type": "Standard_D4s_v5",
            "spot": code == "lowPriorityCores", "outcome": "failed",
            "error": {"code": "OperationNotAllowed", "http_status": 409, "message": message},
        });
        let answer = service.send(feedback.json(&body)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let learnt = answer.json();
        assert_eq!(
            (&learnt["class"], &learnt["quota_code"]),
            (&json!("quota"), &json!(code))
        );
        assert_eq!(learnt["limit"], limit, "{learnt}");
    }
}
