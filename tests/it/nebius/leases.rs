//! Leases on Nebius, where the tenant and a project may both limit a launch.

use reqwest::Method;
use serde_json::{Value, json};

use super::{nebius, setup};

#[tokio::test(start_paused = true)]
async fn a_lease_holds_the_quota_of_each_layer_that_limits_it() {
    let nebius = nebius().await;
    let service = setup(&nebius).start().await;
    service.ready().await;
    let offer = json!({"backend": "nebius", "region": "eu-north1",
        "instance_type": "gpu-h100-sxm 8gpu-128vcpu-1600gb"});
    let request = service.request(Method::POST, "/verify");
    let request = request.json(&json!({"offer": offer, "lease": "2m", "max_age": "0s"}));
    let verified = service.send(request).await.json();
    assert_eq!(verified["verified"], true, "{verified}");
    let lease = &verified["lease"];
    assert_eq!(lease["backed"], true, "{verified}");
    let holds = lease["holds"].as_array().unwrap();
    let layers = |kind: &str| holds.iter().any(|hold| hold["container"]["kind"] == kind);
    assert!(layers("tenant"), "{holds:?}");

    let answer = service.get("/quotas/nebius/eu-north1").await.json();
    let rows = answer["quotas"].as_array().unwrap();
    for hold in holds {
        let is_held =
            |row: &&Value| row["code"] == hold["code"] && row["container"] == hold["container"];
        let row = rows.iter().find(is_held).unwrap();
        assert_eq!(row["leased"], hold["amount"], "{row}");
    }
    let leased = rows.iter().filter(|row| row["leased"] != 0).count();
    assert_eq!(leased, holds.len());
}
