//! Single rows, read beside the full read.

use std::time::Duration;

use futures_util::future::join;
use serde_json::json;

use super::{PAGES, SimulatedCloud, setup, start};
use crate::harness::{eventually, let_time_pass};

const VERIFY: &str = "/quotas/fake/north?max_age=0s&code=gpus";

#[tokio::test(start_paused = true)]
async fn a_single_row_is_read_alone_and_the_others_stay() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    let before = service.get("/quotas/fake/north").await.json();
    let_time_pass(Duration::from_secs(60)).await;
    cloud.set_quota("gpus", Some("north"), json!(6), 2);
    cloud.set_quota("vcpus", Some("north"), json!(256), 9);

    let answer = service.get(VERIFY).await.json();
    let rows = answer["quotas"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["limit"], &rows[0]["usage"]),
        (&json!(6), &json!(2))
    );
    assert_eq!(answer["taken_at"], before["taken_at"]);
    assert!(rows[0]["observed_at"].as_str() > before["taken_at"].as_str());
    assert_eq!(
        (cloud.calls("GetQuota"), cloud.calls("ListQuotas")),
        (1, PAGES)
    );

    let after = service.get("/quotas/fake/north").await.json();
    let others = |body: &serde_json::Value| {
        let mut rows = body["quotas"].as_array().unwrap().clone();
        rows.retain(|row| row["code"] != "gpus");
        rows
    };
    assert_eq!(others(&after), others(&before));
    assert!(
        others(&after)
            .iter()
            .all(|row| row.get("observed_at").is_none())
    );

    // A full read brings all of it, of one moment.
    assert_eq!(service.post("/refresh/fake").await.status, 200);
    let full = service.get("/quotas/fake/north").await;
    assert_eq!(full.quota("vcpus")["usage"], 9);
    assert_eq!(full.quota("gpus").get("observed_at"), None);
}

#[tokio::test(start_paused = true)]
async fn reading_single_rows_needs_the_scope_verify() {
    let cloud = SimulatedCloud::start().await;
    let setup = setup(&cloud)
        .token("reader", &["read"])
        .token("verifier", &["read", "verify"]);
    let service = setup.start().await;
    service.ready().await;
    let refused = service.get_as("reader", VERIFY).await;
    assert_eq!(refused.status, 403);
    assert_eq!(cloud.calls("GetQuota"), 0);
    assert_eq!(service.get_as("verifier", VERIFY).await.status, 200);
    assert_eq!(cloud.calls("GetQuota"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_is_verified_beside_a_full_read_that_goes_on_once() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    let is_listed = async || cloud.calls("ListQuotas") == PAGES + 1;
    cloud.hold_lists(true);
    let full = service.post("/refresh/fake");
    let meanwhile = async {
        eventually("the list is asked for", is_listed).await;
        cloud.set_quota("gpus", Some("north"), json!(4), 4);
        let_time_pass(Duration::from_secs(1)).await;
        let (one, other) = join(service.get(VERIFY), service.get(VERIFY)).await;
        // The full read is still under way, and neither joined nor doubled.
        assert_eq!(cloud.calls("ListQuotas"), PAGES + 1);
        for answer in [one, other] {
            assert_eq!(answer.quota("gpus")["usage"], 4);
        }
        assert_eq!(cloud.calls("GetQuota"), 1);
        cloud.hold_lists(false);
    };
    let (full, ()) = join(full, meanwhile).await;
    assert_eq!(full.status, 200);
    assert_eq!(cloud.calls("ListQuotas"), 2 * PAGES);
    // What was read later is not undone by the older list.
    let row = service.get("/quotas/fake/north").await.quota("gpus");
    assert_eq!(row["usage"], 4);
    assert!(row["observed_at"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_first_read_serves_who_asks_for_single_rows() {
    let cloud = SimulatedCloud::start().await;
    let setup = setup(&cloud).set("backends.0.preload", false);
    let service = setup.start().await;
    let (one, all) = join(service.get(VERIFY), service.get("/quotas/fake/south")).await;
    assert_eq!(one.quota("gpus")["usage"], 1);
    assert_eq!(all.status, 200);
    assert_eq!(
        (cloud.calls("ListQuotas"), cloud.calls("GetQuota")),
        (PAGES, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_read_keeps_what_was_known() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    cloud.refuse("GetQuota", 403, "permission_denied");
    let answer = service.get(VERIFY).await;
    assert_eq!(answer.quota("gpus")["usage"], 1);
    assert_eq!(answer.quota("gpus").get("observed_at"), None);
    // The region as a whole was read well.
    assert_eq!(answer.json()["last_failure"], json!(null));
}
