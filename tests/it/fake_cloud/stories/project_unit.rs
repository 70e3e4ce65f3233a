//! One read covers the project and tells its regions.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{PAGES, PROJECT, SimulatedCloud, setup, start};
use crate::harness::Service;

async fn regions(service: &Service) -> Vec<Value> {
    let overview = service.get("/quotas").await.json();
    let regions = overview["backends"][0]["regions"].as_array().unwrap();
    regions.iter().map(|one| one["region"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_read_tells_the_regions_and_callers_of_all_of_them_share_it() {
    let cloud = SimulatedCloud::start().await;
    let setup = setup(&cloud).set("backends.0.preload", false);
    let service = setup.start().await;
    assert_eq!(regions(&service).await, [json!(null); 0]);
    assert_eq!(cloud.calls("ListQuotas"), 0);

    let paths = ["/quotas/fake/north", "/quotas/fake/south"].into_iter();
    let callers = paths.cycle().take(20).map(|path| service.get(path));
    for answer in join_all(callers).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!(
            (&body["account"], &body["gaps"]),
            (&json!(PROJECT), &json!(null))
        );
        assert_eq!(body["quotas"].as_array().unwrap().len(), 4);
    }
    assert_eq!(cloud.calls("ListQuotas"), PAGES);
    assert_eq!(regions(&service).await, ["north", "south"]);
}

#[tokio::test(start_paused = true)]
async fn a_region_exists_once_the_cloud_names_it() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    let unknown = service.get("/quotas/fake/east").await;
    let unknown = unknown.problem(404, "unknown-region");
    assert_eq!(unknown["known"], json!(["north", "south"]));

    cloud.set_quota("gpus", Some("east"), json!(2), 0);
    assert_eq!(service.post("/refresh/fake").await.status, 200);
    let answer = service.get("/quotas/fake/east").await;
    assert_eq!(answer.quota("gpus")["available"], 2);
    assert_eq!(regions(&service).await, ["east", "north", "south"]);
}

#[tokio::test(start_paused = true)]
async fn of_listed_regions_no_other_is_shown() {
    let cloud = SimulatedCloud::start().await;
    let setup = setup(&cloud).set("backends.0.regions", vec!["south"]);
    let service = start(&setup).await;
    assert_eq!(regions(&service).await, ["south"]);
    let unknown = service.get("/quotas/fake/north").await;
    unknown.problem(404, "unknown-region");
    let found = super::offers(&service, "limit=0").await;
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|offer| offer["region"] == "south"));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_by_their_codes() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    for (status, code, kind, advice) in [
        (
            403,
            "permission_denied",
            "denied",
            json!("grant the token the role `viewer`"),
        ),
        (503, "never_heard_of", "unavailable", json!(null)),
        // The last, because it opens the circuit breaker.
        (403, "rate_exceeded", "throttled", json!(null)),
    ] {
        cloud.refuse("ListQuotas", status, code);
        assert_eq!(service.post("/refresh/fake").await.status, 200);
        let body = service.get("/quotas/fake/north").await.json();
        let failure = &body["last_failure"];
        assert_eq!(
            (&failure["kind"], &failure["advice"]),
            (&json!(kind), &advice),
            "{body}"
        );
        // A failure never erases a good answer.
        assert_eq!(body["quotas"].as_array().unwrap().len(), 4);
    }
}
