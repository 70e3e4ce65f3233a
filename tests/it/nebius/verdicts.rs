//! Verdicts on offers of Nebius, where a region, a row or the advice is not as usual.

use serde_json::{Value, json};
use simulated_clouds::nebius::{Fault, Method, Rule, State};

use super::{nebius, setup};

#[tokio::test(start_paused = true)]
async fn without_advice_offers_are_judged_all_the_same() {
    let nebius = nebius().await;
    nebius
        .controls()
        .inject(Rule::new(Fault::Unimplemented).on(Method::ListAdvice));
    let setup = setup(&nebius);
    let service = setup.start().await;
    service.ready().await;

    let path = "/offers?region=eu-north1&gpu=H100&spot=false&min_gpu_count=8";
    let offer = service.get(path).await.json()["offers"][0].clone();
    assert_eq!(offer["availability"], "available");
    assert_eq!(offer.get("capacity"), None, "{offer}");
}

#[tokio::test(start_paused = true)]
async fn a_listed_region_that_the_tenant_does_not_have_is_not_enabled() {
    let nebius = nebius().await;
    let service = setup(&nebius)
        .set("backends.0.regions", vec!["eu-north1", "eu-west9"])
        .start()
        .await;
    service.ready().await;

    let backend = service.get("/quotas").await.json()["backends"][0].clone();
    assert_eq!(backend["status"], "partial");
    let region = |name: &str| {
        let regions = backend["regions"].as_array().unwrap().iter();
        regions
            .clone()
            .find(|region| region["region"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(region("eu-north1")["freshness"], "fresh");
    assert_eq!(region("eu-west9")["freshness"], Value::Null);
    assert_eq!(region("eu-west9")["last_failure"]["kind"], "not_enabled");

    let problem = service.get("/quotas/nebius/eu-west9").await;
    let problem = problem.problem(502, "cloud-refused");
    assert_eq!(problem["failure"]["kind"], "not_enabled");
    let offer = json!({"backend": "nebius", "region": "eu-west9",
        "instance_type": "gpu-h100-sxm 8gpu-128vcpu-1600gb"});
    let request = service.request(reqwest::Method::POST, "/offers");
    let answer = service
        .send(request.json(&json!({"offers": [offer]})))
        .await
        .json();
    let verdict = &answer["verdicts"][0];
    assert_eq!(verdict["availability"], "unknown");
    let reason = verdict["quota"]["reason"].as_str().unwrap();
    assert!(reason.contains("not_enabled"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn spot_machines_without_gpus_and_unknown_platforms_are_never_refused() {
    let nebius = nebius().await;
    let service = setup(&nebius).start().await;
    service.ready().await;
    let offer = |instance_type: &str, spot: bool| {
        json!({"backend": "nebius", "region": "eu-north1",
            "instance_type": instance_type, "spot": spot})
    };
    let offers = [
        offer("cpu-d3 4vcpu-16gb", true),
        offer("cpu-e2 2vcpu-8gb", true),
        offer("gpu-novel-sxm 8gpu-128vcpu-1600gb", true),
        offer("gpu-novel-sxm 8gpu-128vcpu-1600gb", false),
        offer("tpu-x 1", false),
    ];
    let request = service.request(reqwest::Method::POST, "/offers");
    let body = json!({"count": 10_000, "offers": offers});
    let answer = service.send(request.json(&body)).await.json();
    for (offer, verdict) in offers.iter().zip(answer["verdicts"].as_array().unwrap()) {
        assert_eq!(verdict["quota"]["verdict"], "unknown", "{offer}: {verdict}");
        assert_ne!(verdict["availability"], "no_quota", "{offer}: {verdict}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_frozen_or_being_provisioned_says_so_and_is_judged_by_it() {
    let nebius = nebius().await;
    let h100 = "compute.instance.gpu.h100";
    let service = setup(&nebius).start().await;
    service.ready().await;
    for (state, word, available, verdict, availability, said) in [
        (
            State::Frozen,
            json!("frozen"),
            json!(0),
            "short",
            "no_quota",
            "it is frozen, so nothing of its 32 can be used",
        ),
        (
            State::Provisioning,
            json!("provisioning"),
            Value::Null,
            "unknown",
            "unknown",
            "its limit is being changed",
        ),
        (
            State::Active,
            Value::Null,
            json!(8),
            "fits",
            "available",
            "8 of 32 are free",
        ),
    ] {
        nebius.controls().edit(|account| {
            for row in &mut account.quotas {
                if row.name == h100 && row.region == "eu-north1" && row.limit.is_some() {
                    row.state = state;
                }
            }
        });
        assert_eq!(service.post("/refresh/nebius").await.status, 200);
        let path = format!("/quotas/nebius/eu-north1?code={h100}");
        let rows = service.get(&path).await.json();
        let mut rows = rows["quotas"].as_array().unwrap().iter();
        let row = rows.find(|row| row["container"]["kind"] == "tenant");
        let row = row.unwrap();
        assert_eq!(row["state"], word, "{row}");
        assert_eq!(row["available"], available, "{row}");

        let path = "/offers?region=eu-north1&gpu=H100&spot=false&min_gpu_count=8";
        let offer = service.get(path).await.json()["offers"][0].clone();
        assert_eq!(offer["quota"]["verdict"], verdict, "{offer}");
        assert_eq!(offer["availability"], availability, "{offer}");
        let reason = offer["quota"]["reason"].as_str().unwrap();
        assert!(reason.ends_with(said), "{reason}");
    }
}
