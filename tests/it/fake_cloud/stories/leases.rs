//! Leases on a quota that is one for the whole project.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{SimulatedCloud, setup, start};
use crate::harness::{Answer, Service, eventually, let_time_pass};

async fn post(service: &Service, path: &str, region: &str, count: u32) -> Answer {
    let offer = json!({"backend": "fake", "region": region, "instance_type": "gpu-1"});
    let mut body = json!({"offer": offer, "count": count});
    if path == "/verify" {
        body["lease"] = "2m".into();
    }
    service
        .send(service.request(Method::POST, path).json(&body))
        .await
}

async fn leased(service: &Service, region: &str) -> [Value; 2] {
    let answer = service.get(&format!("/quotas/fake/{region}")).await;
    ["gpus", "gpus_all_regions"].map(|code| answer.quota(code)["leased"].clone())
}

#[tokio::test(start_paused = true)]
async fn a_lease_in_one_region_holds_what_all_regions_share() {
    let cloud = SimulatedCloud::start().await;
    cloud.set_quota("gpus_all_regions", None, json!(6), 1);
    let service = start(&setup(&cloud)).await;
    let before = service.get("/quotas/fake/south").await;
    let lease = post(&service, "/leases", "north", 3).await;
    assert_eq!(lease.status, 201, "{}", lease.text());
    let holds = lease.json()["holds"].as_array().unwrap().clone();
    let held = holds.iter().map(|hold| {
        (
            hold["code"].as_str().unwrap(),
            &hold["region"],
            &hold["amount"],
        )
    });
    let (north, everywhere) = (json!("north"), Value::Null);
    assert_eq!(
        held.collect::<Vec<_>>(),
        [
            ("gpus", &north, &json!(3)),
            ("gpus_all_regions", &everywhere, &json!(3)),
            ("vcpus", &north, &json!(24))
        ]
    );
    assert_eq!(leased(&service, "north").await, [json!(3), json!(3)]);
    assert_eq!(leased(&service, "south").await, [json!(0), json!(3)]);
    let after = service.get("/quotas/fake/south").await;
    assert_ne!(after.header("etag"), before.header("etag"));
    assert_eq!(after.header("cache-control"), "private, no-cache");

    // The south has room of its own for four, and the project for two.
    let refused = post(&service, "/leases", "south", 3).await;
    let refused = refused.problem(409, "no-room");
    assert_eq!(
        refused["verdict"]["quota"]["binding"]["code"],
        "gpus_all_regions"
    );
    let verified = post(&service, "/verify", "south", 2).await.json();
    assert_eq!(verified["quota"]["verdict"], "fits", "{verified}");
    assert_eq!(verified["verified"], true);
    assert_eq!(leased(&service, "north").await, [json!(3), json!(5)]);
    let one_more = post(&service, "/verify", "south", 1).await.json();
    assert_eq!(one_more["lease"], Value::Null, "{one_more}");
}

#[tokio::test(start_paused = true)]
async fn a_committed_lease_ends_when_the_project_is_read_late_enough() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud).set("backends.0.usage_delay", "30s")).await;
    let lease = post(&service, "/leases", "north", 1).await.json();
    let path = format!("/leases/{}/commit", lease["id"].as_str().unwrap());
    assert_eq!(service.post(&path).await.status, 200);
    assert_eq!(service.post("/refresh/fake").await.status, 200);
    assert_eq!(leased(&service, "south").await, [json!(0), json!(1)]);
    crate::harness::let_time_pass(std::time::Duration::from_secs(31)).await;
    assert_eq!(service.post("/refresh/fake").await.status, 200);
    assert_eq!(leased(&service, "south").await, [json!(0), json!(0)]);
    assert_eq!(service.get("/leases").await.json(), json!({"leases": []}));
}

#[tokio::test(start_paused = true)]
async fn two_hundred_callers_of_three_replicas_share_what_all_regions_share() {
    const ROOM: usize = 37;
    let cloud = SimulatedCloud::start().await;
    cloud.set_quota("gpus_all_regions", None, json!(ROOM + 3), 3);
    for region in ["north", "south"] {
        cloud.set_quota("gpus", Some(region), json!(1000), 0);
        cloud.set_quota("vcpus", Some(region), json!(8000), 0);
    }
    let setup = setup(&cloud);
    let hub = setup.hub();
    let mut replicas = Vec::new();
    for _ in 0..3 {
        let replica = setup.start_replica(&hub).await;
        replica.ready().await;
        replicas.push(replica);
    }
    // A new ledger is not backed by anything at first.
    let_time_pass(Duration::from_secs(6)).await;
    let ask = async |number: usize| {
        let region = ["north", "south"][number % 2];
        post(&replicas[number % 3], "/leases", region, 1).await
    };
    let answers = join_all((0..200).map(ask)).await;
    let granted: Vec<_> = answers.iter().filter(|one| one.status == 201).collect();
    let refused = answers.iter().filter(|one| one.status == 409).count();
    assert_eq!((granted.len(), refused), (ROOM, 200 - ROOM));
    assert!(granted.iter().all(|one| one.json()["backed"] == true));
    for replica in &replicas {
        eventually("it has heard of all", async || {
            let leased = [
                leased(replica, "north").await,
                leased(replica, "south").await,
            ];
            leased.map(|[_, everywhere]| everywhere) == [json!(ROOM), json!(ROOM)]
        })
        .await;
    }
}
