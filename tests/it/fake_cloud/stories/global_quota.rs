//! One quota for the whole project, shown in each region.

use futures_util::future::join;
use serde_json::json;

use super::{SimulatedCloud, offer, said, setup, start};

#[tokio::test(start_paused = true)]
async fn a_global_quota_is_one_quota_in_whichever_region_it_is_read() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    for region in ["north", "south"] {
        let answer = service.get(&format!("/quotas/fake/{region}")).await;
        let row = answer.quota("gpus_all_regions");
        assert_eq!(
            (&row["scope"], &row["limit"]),
            (&json!("global"), &json!(12))
        );
        assert_eq!((&row["usage"], &row["available"]), (&json!(1), &json!(11)));
        assert_eq!(answer.quota("gpus")["scope"], "region");
    }
    let south = "instance_type=gpu-1&region=south&spot=false";
    assert_eq!(
        said(&offer(&service, south).await),
        ["available", "fits", "gpus"]
    );
    let before = service.get("/quotas/fake/south").await;

    // Verified in one region, it is known in the other at once.
    cloud.set_quota("gpus_all_regions", None, json!(12), 12);
    let verified = service
        .get("/quotas/fake/north?max_age=0s&code=gpus_all_regions")
        .await;
    let verified = verified.quota("gpus_all_regions");
    assert_eq!(
        (&verified["usage"], &verified["available"]),
        (&json!(12), &json!(0))
    );
    let after = service.get("/quotas/fake/south").await;
    assert_eq!(after.quota("gpus_all_regions"), verified);
    assert!(verified["observed_at"].is_string());
    assert_ne!(after.header("etag"), before.header("etag"));
    assert_eq!(cloud.calls("GetQuota"), 1);
    assert_eq!(
        said(&offer(&service, south).await),
        ["no_quota", "short", "gpus_all_regions"]
    );

    // A region's own quota stays its own.
    cloud.set_quota("gpus", Some("north"), json!(4), 3);
    let north = service.get("/quotas/fake/north?max_age=0s&code=gpus").await;
    assert_eq!(north.quota("gpus")["usage"], 3);
    let south = service.get("/quotas/fake/south").await;
    assert_eq!(south.quota("gpus")["usage"], 0);
}

#[tokio::test(start_paused = true)]
async fn callers_in_all_regions_share_the_read_of_a_global_quota() {
    let cloud = SimulatedCloud::start().await;
    let service = start(&setup(&cloud)).await;
    let verify = async |region: &str, code: &str| {
        let path = format!("/quotas/fake/{region}?max_age=0s&code={code}");
        service.get(&path).await.quota(code)
    };
    let global = "gpus_all_regions";
    cloud.set_quota(global, None, json!(12), 5);
    let (north, south) = join(verify("north", global), verify("south", global)).await;
    assert_eq!((&north["usage"], &south["usage"]), (&json!(5), &json!(5)));
    assert_eq!(cloud.calls("GetQuota"), 1);
    // Those of the regions are two quotas.
    join(verify("north", "gpus"), verify("south", "gpus")).await;
    assert_eq!(cloud.calls("GetQuota"), 3);
}
