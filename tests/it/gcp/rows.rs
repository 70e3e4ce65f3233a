//! The rows of a region: from three services, each as old as its service tells.

use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::gcp::{Method, Settings, SimulatedGcp};

use super::{H100, gcp, refresh, setup, start};
use crate::harness::let_time_pass;

#[tokio::test(start_paused = true)]
async fn a_region_has_the_quotas_of_compute_engine_and_of_cloud_quotas() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    let answer = service.get("/quotas/gcp/us-central1").await;
    let body = answer.json();
    assert_eq!(body["account"], "simulated-project");
    assert_eq!(body.get("gaps"), None, "{body}");

    let l4 = answer.quota("NVIDIA_L4_GPUS");
    assert_eq!(l4["name"], "NVIDIA L4 GPUs");
    assert_eq!(
        (&l4["service"], &l4["unit"]),
        (&json!("compute"), &json!("gpu"))
    );
    assert_eq!(
        (&l4["limit"], &l4["usage"], &l4["available"]),
        (&json!(16), &json!(2), &json!(14))
    );
    assert_eq!(l4["usage_as_of"], Value::Null);
    let page = l4["increase_url"].as_str().unwrap();
    assert!(
        page.contains("project=simulated-project")
            && page.contains("compute.googleapis.com%2Fnvidia_l4_gpus"),
        "{page}"
    );

    let h100 = answer.quota(H100);
    assert_eq!((&h100["limit"], &h100["usage"]), (&json!(16), &json!(8)));
    assert_eq!(
        (&h100["adjustable"], &h100["available"]),
        (&json!(true), &json!(8))
    );
    assert!(h100["usage_as_of"].is_string(), "{h100}");
    assert!(
        h100["increase_url"]
            .as_str()
            .unwrap()
            .starts_with("https://console.cloud.")
    );
    assert_eq!(h100.get("increase_command"), None);

    // A family that was never granted is in no console: only the command asks for it.
    let mega = answer.quota("GPUS_PER_GPU_FAMILY/NVIDIA_H100_MEGA");
    assert_eq!((&mega["limit"], &mega["usage"]), (&json!(0), &Value::Null));
    assert_eq!(mega["increase_url"], Value::Null);
    assert_eq!(
        mega["increase_command"],
        "gcloud beta quotas preferences create --service=compute.googleapis.com \
         --quota-id=GPUS-PER-GPU-FAMILY-per-project-region \
         --dimensions=region=us-central1,gpu_family=NVIDIA_H100_MEGA --preferred-value=VALUE \
         --project=simulated-project"
    );
    let unlimited = answer.quota("CPUS_PER_VM_FAMILY/N4");
    assert_eq!(unlimited["limit_kind"], "unlimited");
    let without_value = answer.quota("GPUS_PER_GPU_FAMILY/NVIDIA_B200");
    assert_eq!(without_value["limit"], Value::Null);

    // Of the project's own quotas only those that launches draw on, once for all regions; the
    // addresses are the region's.
    assert_eq!(answer.quota("GPUS_ALL_REGIONS")["scope"], "global");
    assert_eq!(answer.quota("IN_USE_ADDRESSES")["limit"], 8);
    let codes = body["quotas"].as_array().unwrap().iter();
    assert!(codes.clone().all(|row| row["code"] != "NETWORKS"));
    assert!(!answer.text().contains("planted-secret"));
}

#[tokio::test(start_paused = true)]
async fn a_usage_that_is_too_old_is_shown_with_its_time_and_counts_as_unknown() {
    let gcp = gcp().await;
    let service = setup(&gcp)
        .set("backends.0.refresh_every", "10h")
        .start()
        .await;
    service.ready().await;
    let row = async || service.get("/quotas/gcp/us-central1").await.quota(H100);
    assert_eq!(row().await["available"], 8);
    for (lag, is_known) in [(14 * 60, true), (16 * 60, false), (20 * 3600, false)] {
        gcp.controls().edit(|project| {
            project.set_usage(Some("us-central1"), H100, 6, Duration::from_secs(lag));
        });
        assert_eq!(refresh(&service).await, 200);
        let row = row().await;
        assert_eq!(row["usage"], 6, "{lag}: {row}");
        assert!(row["usage_as_of"].is_string());
        let available = if is_known { json!(10) } else { Value::Null };
        assert_eq!(row["available"], available, "{lag}: {row}");
    }
    // Beyond a day nothing is told any more.
    gcp.controls().edit(|project| {
        let days = Duration::from_secs(2 * 86_400);
        project.set_usage(Some("us-central1"), H100, 6, days);
    });
    assert_eq!(refresh(&service).await, 200);
    assert_eq!(row().await["usage"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_verification_reads_the_rows_of_a_launch_and_no_others() {
    let gcp = gcp().await;
    let service = setup(&gcp)
        .set("backends.0.refresh_every", "10h")
        .start()
        .await;
    service.ready().await;
    let calls = |method| gcp.controls().calls(method);
    let verify = async |offer: Value| {
        gcp.controls().reset_calls();
        let request = service.request(reqwest::Method::POST, "/verify");
        let body = json!({"offer": offer, "max_age": "0s"});
        let answer = service.send(request.json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(answer["verified"], true, "{answer}");
        answer
    };
    gcp.controls().edit(|project| {
        project.set_limit(Some("us-central1"), H100, Some(24));
        project.set_usage(Some("us-central1"), H100, 23, Duration::from_secs(60));
    });
    let answer = verify(super::offer("us-central1", "a3-highgpu-8g", false)).await;
    assert_eq!(answer["quota"]["verdict"], "short", "{answer}");
    assert_eq!(answer["quota"]["binding"]["limit"], 24);
    assert_eq!(answer["quota"]["binding"]["available"], 1);
    assert_eq!(calls(Method::GetQuotaInfo), 1);
    assert_eq!(calls(Method::ListTimeSeries), 1);
    assert_eq!(calls(Method::ListRegions), 0);

    gcp.controls().edit(|project| {
        project.set_usage(Some("us-central1"), "NVIDIA_L4_GPUS", 16, Duration::ZERO);
    });
    let_time_pass(Duration::from_secs(1)).await;
    let answer = verify(super::offer("us-central1", "g2-standard-4", false)).await;
    assert_eq!(answer["quota"]["binding"]["code"], "NVIDIA_L4_GPUS");
    assert_eq!(answer["quota"]["binding"]["usage"], 16);
    assert_eq!(
        (calls(Method::GetRegion), calls(Method::GetProject)),
        (1, 1)
    );
    assert_eq!(
        (calls(Method::GetQuotaInfo), calls(Method::ListRegions)),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_family_that_compute_engine_lists_after_all_is_taken_from_there() {
    let gcp = gcp().await;
    gcp.controls().edit(|project| {
        let region = project.regions.get_mut("us-east4").unwrap();
        let metric = simulated_clouds::gcp::Metric {
            limit: 32.0,
            usage: 4.0,
        };
        region
            .metrics
            .insert("PREEMPTIBLE_NVIDIA_H100_GPUS".to_owned(), metric);
    });
    let service = start(&gcp).await;
    let answer = service.get("/quotas/gcp/us-east4").await;
    let rows = answer.json()["quotas"].as_array().unwrap().clone();
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row["code"] == "PREEMPTIBLE_NVIDIA_H100_GPUS")
        .collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["limit"], &rows[0]["usage"]),
        (&json!(32), &json!(4))
    );
}

#[tokio::test(start_paused = true)]
async fn regions_on_several_pages_are_read_to_the_last_and_listed_ones_kept() {
    let gcp = SimulatedGcp::start(Settings {
        page_size: 10,
        ..Settings::default()
    })
    .await
    .unwrap();
    let service = setup(&gcp)
        .set(
            "backends.0.regions",
            vec!["us-west4", "us-central1", "us-middle1"],
        )
        .start()
        .await;
    service.ready().await;
    assert_eq!(gcp.controls().calls(Method::ListRegions), 5);
    let backend = service.get("/quotas").await.json()["backends"][0].clone();
    assert_eq!(backend["status"], "partial");
    let regions = backend["regions"].as_array().unwrap().iter();
    let states: Vec<_> = regions
        .map(|region| {
            let kind = &region["last_failure"]["kind"];
            (region["region"].as_str().unwrap(), kind.as_str())
        })
        .collect();
    assert_eq!(
        states,
        [
            ("us-central1", None),
            ("us-middle1", Some("not_enabled")),
            ("us-west4", None)
        ]
    );
}
