//! Limits that launches of several kinds or regions share: the project's GPUs, disks and addresses.

use std::time::Duration;

use serde_json::json;

use super::{gcp, judged, offer, start};

#[tokio::test(start_paused = true)]
async fn a_global_limit_and_its_leases_count_in_every_region() {
    let gcp = gcp().await;
    gcp.controls().edit(|project| {
        project.set_usage(None, "GPUS_ALL_REGIONS", 60, Duration::ZERO);
    });
    let service = start(&gcp).await;
    let offers = [
        offer("us-central1", "a2-highgpu-1g", false),
        offer("europe-west4", "a2-highgpu-1g", false),
        // Spot counts as well, and so does a model with a preemptible quota of its own.
        offer("us-east4", "g2-standard-4", true),
    ];
    let left = async |count| {
        let verdicts = judged(&service, count, &offers).await;
        let said = verdicts.iter().map(|verdict| {
            let quota = &verdict["quota"];
            assert_eq!(quota["binding"]["code"], "GPUS_ALL_REGIONS", "{verdict}");
            assert_eq!(quota["binding"]["scope"], "global");
            (
                quota["verdict"].as_str().unwrap().to_owned(),
                verdict["launchable"].as_u64(),
            )
        });
        said.collect::<Vec<_>>()
    };
    let all = |word: &str, launches| vec![(word.to_owned(), Some(launches)); 3];
    assert_eq!(left(4).await, all("fits", 4));
    assert_eq!(left(5).await, all("short", 4));

    let request = service.request(reqwest::Method::POST, "/leases");
    let body = json!({"offer": offers[0], "count": 3, "ttl": "5m"});
    let lease = service.send(request.json(&body)).await;
    assert_eq!(lease.status, 201, "{}", lease.text());
    assert_eq!(left(1).await, all("fits", 1));
    assert_eq!(left(2).await, all("short", 1));
    let row = service.get("/quotas/gcp/us-east1").await;
    let row = row.quota("GPUS_ALL_REGIONS");
    assert_eq!((&row["leased"], &row["available"]), (&json!(3), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn disks_and_addresses_are_judged_when_they_are_asked_for() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    let with = |instance_type: &str, disk: f64, public_ip: bool| {
        let mut offer = offer("us-central1", instance_type, false);
        offer["cpus"] = 4.into();
        offer["disk_gb"] = disk.into();
        offer["public_ip"] = public_ip.into();
        offer
    };
    // 500 of 2048 GiB are in use, and 3 of 8 addresses.
    let offers = [
        with("n2-standard-4", 1548.0, true),
        with("n2-standard-4", 1549.0, true),
        with("c4-standard-4", 2049.0, false),
        with("n2-standard-4", 10.0, true),
    ];
    let verdicts = judged(&service, 1, &offers).await;
    let said = |place: usize| {
        let quota = &verdicts[place]["quota"];
        (
            quota["verdict"].as_str().unwrap(),
            quota["binding"]["code"].as_str().unwrap(),
        )
    };
    assert_eq!(said(0), ("fits", "SSD_TOTAL_GB"));
    assert_eq!(said(1), ("short", "SSD_TOTAL_GB"));
    assert_eq!(said(2), ("short", "HDB_TOTAL_GB"));
    assert_eq!(said(3), ("fits", "IN_USE_ADDRESSES"));
    assert_eq!(verdicts[3]["launchable"], 5);
    let binding = &verdicts[1]["quota"]["binding"];
    let gib = 1024.0 * 1024.0 * 1024.0;
    assert_eq!(binding["available"].as_f64(), Some(1548.0 * gib));
    assert_eq!(binding["unit"], "byte");
}
