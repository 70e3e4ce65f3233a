//! Usages, sizes, locations, network usages and categories.

use serde_json::{Value, json};

use super::*;

fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    let found = rows.iter().find(|row| row["name"]["value"] == name);
    found.unwrap_or_else(|| panic!("no row {name}"))
}

fn capability<'a>(size: &'a Value, name: &str) -> &'a Value {
    let capabilities = size["capabilities"].as_array().unwrap();
    let found = capabilities.iter().find(|found| found["name"] == name);
    &found.unwrap()["value"]
}

#[tokio::test]
async fn usages_have_a_row_for_every_family_and_some_that_are_none() {
    let story = Story::new(Settings::default()).await;
    let answer = story.usages("eastus").await;
    let rows = answer.rows();
    assert!(rows.len() > 170, "{}", rows.len());
    assert_eq!(
        row(rows, "standardNDSH100v5Family"),
        &json!({"limit": 192, "unit": "Count", "currentValue": 96,
                "name": {"value": "standardNDSH100v5Family",
                         "localizedValue": "Standard NDSH100v5 Family vCPUs"}})
    );
    assert_eq!(row(rows, "Standard NCASv3_T4 Family")["limit"], 64);
    assert_eq!(row(rows, "standardNDSv2Family")["limit"], 0);
    assert_eq!(
        row(rows, "cores")["name"]["localizedValue"],
        "Total Regional vCPUs"
    );
    assert_eq!(
        answer.header("x-ms-ratelimit-remaining-subscription-reads"),
        "249"
    );
    assert_eq!(
        answer.header("x-ms-ratelimit-remaining-resource"),
        "Microsoft.Compute/Simulated;899"
    );
    assert_eq!(
        story
            .azure
            .controls()
            .calls_about(Method::ListUsages, "eastus"),
        1
    );

    story.azure.controls().edit(|subscription| {
        subscription.set_limit("eastus", "standardNDSH100v5Family", None);
        subscription.set_limit("eastus", "generalPurposeCategory", Some(400));
        subscription.set_usage("eastus", "generalPurposeCategory", 12);
    });
    let answer = story.usages("EastUS").await;
    let category = row(answer.rows(), "generalPurposeCategory");
    assert_eq!(
        (&category["limit"], &category["currentValue"]),
        (&json!(400), &json!(12))
    );
    let names = answer.rows().iter().map(|row| &row["name"]["value"]);
    assert!(
        !names
            .into_iter()
            .any(|name| name == "standardNDSH100v5Family")
    );
}

#[tokio::test]
async fn the_list_of_sizes_is_large_compressed_and_of_one_location() {
    let story = Story::new(Settings::default()).await;
    let answer = story.get(&skus_path("eastus")).await;
    let size: usize = answer.body.to_string().len();
    assert!((2_000_000..6_000_000).contains(&size), "{size}");
    let compressed = Client::builder().no_proxy().no_gzip().build().unwrap();
    let url = format!(
        "{}/subscriptions/{SUBSCRIPTION_ID}{}",
        story.azure.url(),
        skus_path("eastus")
    );
    let request = compressed.get(url).bearer_auth(&story.token);
    let request = request.header("accept-encoding", "gzip");
    let gzip = request.send().await.unwrap();
    assert_eq!(gzip.headers()["content-encoding"], "gzip");
    assert!(gzip.bytes().await.unwrap().len() < size / 4);

    let machines = answer.rows().iter();
    let machines: Vec<_> = machines
        .filter(|row| row["resourceType"] == "virtualMachines")
        .collect();
    assert!(machines.len() > 900 && machines.len() < answer.rows().len());
    let named = |name: &str| *machines.iter().find(|row| row["name"] == name).unwrap();
    let h100 = named("Standard_ND96isr_H100_v5");
    assert_eq!(h100["family"], "standardNDSH100v5Family");
    assert_eq!(h100["locations"], json!(["eastus"]));
    assert_eq!(capability(h100, "vCPUs"), "96");
    assert_eq!(capability(h100, "GPUs"), "8");
    assert_eq!(capability(h100, "LowPriorityCapable"), "True");
    assert_eq!(h100["restrictions"], json!([]));
    let constrained = named("Standard_E32-8s_v4");
    assert_eq!(capability(constrained, "vCPUs"), "32");
    assert_eq!(capability(constrained, "vCPUsAvailable"), "8");
    // Usages and sizes spell some families differently.
    let spelt = &named("Standard_NC24ads_A100_v4")["family"];
    let usages = story.usages("eastus").await;
    let names: Vec<_> = usages
        .rows()
        .iter()
        .map(|row| &row["name"]["value"])
        .collect();
    assert!(!names.contains(&spelt), "{spelt}");
    assert!(names.iter().any(|name| {
        let (name, spelt) = (name.as_str().unwrap(), spelt.as_str().unwrap());
        name.eq_ignore_ascii_case(spelt)
    }));
}

#[tokio::test]
async fn restrictions_and_sizes_that_are_not_offered_are_of_their_location() {
    let story = Story::new(Settings::default()).await;
    story.azure.controls().edit(|subscription| {
        let eastus = subscription.locations.get_mut("eastus").unwrap();
        eastus.withheld.insert("Standard_D2s_v5".to_owned());
        subscription.change_size("Standard_D4s_v5", |size| size.family = None);
    });
    let east = story.get(&skus_path("eastus")).await;
    let east2 = story.get(&skus_path("eastus2")).await;
    let named = |answer: &Answer, name: &str| {
        let found = answer.rows().iter().find(|row| row["name"] == name);
        found.cloned()
    };
    assert_eq!(named(&east, "Standard_D2s_v5"), None);
    assert!(named(&east2, "Standard_D2s_v5").is_some());
    assert_eq!(
        named(&east, "Standard_D4s_v5").unwrap()["family"],
        Value::Null
    );
    assert_eq!(
        named(&east2, "Standard_ND96isr_H100_v5").unwrap()["restrictions"],
        json!([{"type": "Location", "values": ["eastus2"],
                "restrictionInfo": {"locations": ["eastus2"]},
                "reasonCode": "NotAvailableForSubscription"}])
    );
    let zone = &named(&east, "Standard_NC24ads_A100_v4").unwrap()["restrictions"][0];
    assert_eq!(zone["type"], "Zone");
    assert_eq!(zone["restrictionInfo"]["zones"], json!(["2", "3"]));
    // V100 stands in few locations.
    let nowhere = story.get(&skus_path("westindia")).await;
    assert_eq!(named(&nowhere, "Standard_NC4as_T4_v3"), None);
    let refused = story
        .get(&skus_path("eastus").replace("location", "name"))
        .await;
    assert_eq!(refused.refusal(), (400, "InvalidParameter"));
}

#[tokio::test]
async fn pages_are_linked_until_the_last() {
    let story = Story::new(Settings {
        page_size: Some(100),
        ..Settings::default()
    })
    .await;
    let mut answer = story.usages("eastus").await;
    let mut names = Vec::new();
    let mut pages = 1;
    loop {
        names.extend(answer.rows().iter().map(|row| row["name"]["value"].clone()));
        let Some(next) = answer.body["nextLink"].as_str() else {
            break;
        };
        assert!(next.starts_with(&story.azure.url()), "{next}");
        answer = story.get(next).await;
        pages += 1;
    }
    story.azure.controls().set_page_size(None);
    let whole = story.usages("eastus").await;
    let whole = whole.rows().iter().map(|row| row["name"]["value"].clone());
    assert_eq!(names, whole.collect::<Vec<_>>());
    assert!(pages > 1, "{pages}");
}

#[tokio::test]
async fn locations_addresses_and_categories_are_listed() {
    let story = Story::new(Settings::default()).await;
    let locations = story.get("/locations?api-version=2022-12-01").await;
    let kind = |name: &str| {
        let found = locations.rows().iter().find(|row| row["name"] == name);
        found.unwrap()["metadata"]["regionType"].clone()
    };
    assert_eq!(
        (kind("eastus"), kind("global")),
        (json!("Physical"), json!("Logical"))
    );
    let path = "/providers/Microsoft.Network/locations/eastus/usages?api-version=2024-05-01";
    let network = story.get(path).await;
    assert_eq!(row(network.rows(), "PublicIPAddresses")["currentValue"], 3);
    assert_eq!(row(network.rows(), "PublicIPPrefixes")["limit"], i64::MAX);
    assert!(network.rows()[0]["id"].is_string());
    story.azure.controls().edit(|subscription| {
        let category = FamilyCategory {
            category: "generalPurposeCategory".to_owned(),
            provisioning_state: "Succeeded".to_owned(),
        };
        let family = "standardDSv5Family".to_owned();
        subscription.categories.insert(family, category);
    });
    let path = "/providers/Microsoft.ComputeLimit/locations/eastus/vmFamilies";
    let families = story.get(&format!("{path}?api-version=2026-07-01")).await;
    let family = &families.rows()[0];
    assert_eq!(family["name"], "standardDSv5Family");
    assert_eq!(family["properties"]["category"], "generalPurposeCategory");
}
