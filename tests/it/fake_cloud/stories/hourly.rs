//! A second source, read once an hour, whose failure takes nothing from the quotas.

use std::time::Duration;

use serde_json::json;

use super::{PAGES, SimulatedCloud, offer, said, setup, start};
use crate::harness::{Service, let_time_pass};

const SOUTH: &str = "region=south&instance_type=gpu-1&spot=false";

async fn refresh(service: &Service) {
    assert_eq!(service.post("/refresh/fake").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_types_are_read_once_an_hour_however_often_quotas_are() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    cloud.set_type("gpu-1", "south", "open", false);
    for _ in 0..5 {
        refresh(&service).await;
    }
    assert_eq!(cloud.calls("ListQuotas"), 6 * PAGES);
    assert_eq!(cloud.calls("ListTypes"), PAGES);
    assert_eq!(
        said(&offer(&service, SOUTH).await),
        ["available", "fits", "gpus"]
    );

    let_time_pass(Duration::from_secs(3600)).await;
    refresh(&service).await;
    assert_eq!(cloud.calls("ListTypes"), 2 * PAGES);
    assert_eq!(
        said(&offer(&service, SOUTH).await),
        ["not_available", "fits", "gpus"]
    );
}

#[tokio::test(start_paused = true)]
async fn without_the_types_the_quotas_are_told_and_the_last_ones_hold() {
    let cloud = SimulatedCloud::start().await;
    cloud.set_type("gpu-1", "south", "open", false);
    let service = start(&setup(&cloud)).await;
    cloud.refuse("ListTypes", 403, "permission_denied");
    cloud.set_quota("gpus", Some("south"), json!(4), 2);
    let_time_pass(Duration::from_secs(3600)).await;
    refresh(&service).await;
    let answer = service.get("/quotas/fake/south").await;
    assert_eq!(answer.quota("gpus")["usage"], 2);
    let body = answer.json();
    let gap = &body["gaps"][0];
    assert_eq!(
        (&gap["kind"], &gap["advice"]),
        (
            &json!("denied"),
            &json!("grant the token the role `viewer`")
        )
    );
    assert_eq!(body["last_failure"], json!(null));
    assert_eq!(said(&offer(&service, SOUTH).await)[0], "not_available");

    // Mended, it is read with the next quotas and not an hour later.
    cloud.refuse_nothing();
    cloud.set_type("gpu-1", "south", "open", true);
    refresh(&service).await;
    let body = service.get("/quotas/fake/south").await.json();
    assert_eq!(body.get("gaps"), None);
    assert_eq!(said(&offer(&service, SOUTH).await)[0], "available");
}

#[tokio::test(start_paused = true)]
async fn restrictions_outlive_a_restart_after_which_the_types_cannot_be_read() {
    let cloud = SimulatedCloud::start().await;
    cloud.set_type("gpu-1", "south", "open", false);
    // Lives so long that the minutes do not count which pass while a disk takes its real time.
    let setup = setup(&cloud)
        .set("cache.fresh_for", "1h")
        .set("cache.stale_for", "2h")
        .set("backends.0.refresh_every", "1h")
        .set("cache.directory", "data");
    let service = start(&setup).await;
    assert_eq!(said(&offer(&service, SOUTH).await)[0], "not_available");
    service.stop().await;

    cloud.refuse("ListTypes", 503, "down");
    let service = start(&setup).await;
    let is_restricted = async || said(&offer(&service, SOUTH).await)[0] == "not_available";
    assert!(is_restricted().await, "as it was stored");
    assert_eq!(cloud.calls("ListQuotas"), PAGES);
    cloud.set_quota("gpus", Some("south"), json!(4), 3);
    refresh(&service).await;
    let answer = service.get("/quotas/fake/south").await;
    assert_eq!(answer.quota("gpus")["usage"], 3);
    assert_eq!(answer.json()["gaps"][0]["kind"], "unavailable");
    assert!(is_restricted().await, "as it was read last");

    cloud.refuse_nothing();
    cloud.set_type("gpu-1", "south", "open", true);
    // The circuit breaker has opened meanwhile.
    let_time_pass(Duration::from_secs(60)).await;
    refresh(&service).await;
    assert!(!is_restricted().await);
}
