//! Spot launches draw on a quota of their own where one was granted.

use reqwest::Method;
use serde_json::{Value, json};

use super::{SimulatedCloud, offer, said, setup, start};
use crate::harness::Service;

/// The verdict on an offer of the caller's own, which is not as the catalog has it.
async fn own(service: &Service, region: &str) -> Value {
    let offer = json!({"backend": "fake", "region": region, "instance_type": "gpu-8",
                       "spot": true, "cpus": 16});
    let request = service.request(Method::POST, "/offers");
    let answer = service
        .send(request.json(&json!({"offers": [offer]})))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["verdicts"][0].clone()
}

const SOUTH: &str = "instance_type=gpu-8&spot=true&region=south";

#[tokio::test(start_paused = true)]
async fn what_a_spot_launch_draws_on_depends_on_what_its_region_was_granted() {
    let cloud = SimulatedCloud::start().await;
    cloud.set_quota("gpus_all_regions", None, json!(100), 0);
    let service = start(&setup(&cloud)).await;
    let north = "instance_type=gpu-8&spot=true&region=north";
    let granted = ["available", "fits", "spot_gpus"];
    let refused = ["no_quota", "short", "gpus"];
    assert_eq!(said(&offer(&service, north).await), granted);
    assert_eq!(said(&own(&service, "north").await), granted);
    assert_eq!(said(&offer(&service, SOUTH).await), refused);
    assert_eq!(said(&own(&service, "south").await), refused);
    // On-demand launches never draw on it.
    let on_demand = "instance_type=gpu-8&spot=false&region=north";
    assert_eq!(said(&offer(&service, on_demand).await), refused);
}

#[tokio::test(start_paused = true)]
async fn a_grant_changes_the_demand_as_soon_as_it_is_read() {
    let cloud = SimulatedCloud::start().await;
    cloud.set_quota("gpus_all_regions", None, json!(100), 0);
    let service = start(&setup(&cloud)).await;
    assert_eq!(
        said(&offer(&service, SOUTH).await),
        ["no_quota", "short", "gpus"]
    );

    // By the read of a single row,
    cloud.set_quota("spot_gpus", Some("south"), json!(8), 0);
    let verify = "/quotas/fake/south?max_age=0s&code=spot_gpus";
    assert_eq!(service.get(verify).await.quota("spot_gpus")["limit"], 8);
    let granted = offer(&service, SOUTH).await;
    assert_eq!(said(&granted), ["available", "fits", "spot_gpus"]);
    assert_eq!(granted["launchable"], 1);
    assert_eq!(
        said(&own(&service, "south").await),
        ["available", "fits", "spot_gpus"]
    );
    let found = super::offers(&service, "spot=true&gpu=L4&sort=launchable&min_gpu_count=8").await;
    let regions: Vec<_> = found.iter().map(|offer| offer["region"].clone()).collect();
    assert_eq!(regions, ["north", "south"]);

    // and by a full read.
    cloud.set_quota("spot_gpus", Some("south"), json!(0), 0);
    assert_eq!(service.post("/refresh/fake").await.status, 200);
    assert_eq!(
        said(&offer(&service, SOUTH).await),
        ["no_quota", "short", "gpus"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_not_known_leaves_the_verdict_unknown() {
    let cloud = SimulatedCloud::start().await;
    cloud.set_quota("spot_gpus", Some("south"), json!(null), 0);
    let service = start(&setup(&cloud)).await;
    for verdict in [offer(&service, SOUTH).await, own(&service, "south").await] {
        let [availability, outcome, _] = said(&verdict);
        assert_eq!((availability, outcome), ("unknown", "unknown"));
        let reason = verdict["quota"]["reason"].as_str().unwrap();
        assert!(reason.contains("spot_gpus was granted"), "{reason}");
    }
    // What is certainly short stays short.
    cloud.set_quota("gpus_all_regions", None, json!(4), 0);
    let verify = "/quotas/fake/south?max_age=0s&code=gpus_all_regions";
    assert_eq!(service.get(verify).await.status, 200);
    let short = offer(&service, SOUTH).await;
    assert_eq!(said(&short), ["no_quota", "short", "gpus_all_regions"]);
}
