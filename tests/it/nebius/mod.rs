//! Nebius through the front door: one read of the tenant for everybody, answers that outlive
//! trouble, offers with quota and capacity, and a `check` that explains.

mod check;
mod leases;
mod secrets;
mod verdicts;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use simulated_clouds::nebius::{Fault, Method, Rule, Settings, SimulatedNebius};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::harness::{Service, Setup, eventually, let_time_pass};

const REGIONS: [&str; 5] = [
    "eu-north1",
    "eu-west1",
    "me-west1",
    "uk-south1",
    "us-central1",
];

/// The simulated tenant has a project in each region, each with limits of its own.
const ONE_READ: u64 = 1 + REGIONS.len() as u64;

async fn nebius() -> SimulatedNebius {
    SimulatedNebius::start(Settings::default()).await.unwrap()
}

fn setup(nebius: &SimulatedNebius) -> Setup {
    let setup = Setup::without_backends();
    setup.file("nebius.json", &nebius.credentials_file());
    let url = nebius.url();
    setup.backend(&format!(
        r#"
        kind = "nebius"
        credentials = {{ source = "service_account", file = "nebius.json" }}
        endpoints = {{ quotas = "{url}", tokens = "{url}", iam = "{url}", compute = "{url}", capacity = "{url}" }}
        "#
    ))
}

async fn crowd(service: &Service) {
    let mut callers = JoinSet::new();
    for region in REGIONS.iter().cycle().take(500) {
        let function = service.function();
        let path = format!("/quotas/nebius/{region}");
        callers.spawn(async move {
            let request = Request::get(path)
                .header("host", "localhost")
                .body(Body::empty())
                .unwrap();
            function.oneshot(request).await.unwrap().status().as_u16()
        });
    }
    assert_eq!(callers.join_all().await, [200; 500]);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_over_all_regions_costs_one_read_of_the_tenant_cold_and_after_expiry() {
    let nebius = nebius().await;
    let setup = setup(&nebius)
        .set("backends.0.preload", false)
        .set("backends.0.refresh_every", "10h")
        .set("cache.fresh_for", "1m")
        .set("cache.stale_for", "2m");
    let service = setup.start().await;
    crowd(&service).await;
    assert_eq!(nebius.controls().calls(Method::ListQuotas), ONE_READ);
    assert_eq!(nebius.controls().most_concurrent(Method::ExchangeToken), 1);

    let_time_pass(Duration::from_secs(150)).await;
    nebius.controls().reset_calls();
    crowd(&service).await;
    eventually("the tenant was read anew", async || {
        let answer = service.get("/quotas/nebius/eu-north1").await;
        answer.json()["freshness"] == "fresh"
    })
    .await;
    assert_eq!(nebius.controls().calls(Method::ListQuotas), ONE_READ);
}

#[tokio::test(start_paused = true)]
async fn answers_stay_while_the_token_service_is_down_and_heal_by_themselves() {
    let nebius = nebius().await;
    let setup = setup(&nebius);
    let service = setup.start().await;
    service.ready().await;
    nebius.controls().revoke_tokens();
    nebius
        .controls()
        .inject(Rule::new(Fault::Unavailable).on(Method::ExchangeToken));

    let_time_pass(Duration::from_secs(600)).await;
    let asked = Instant::now();
    let answer = service.get("/quotas/nebius/eu-north1").await;
    assert!(asked.elapsed() < Duration::from_millis(300));
    let body = answer.json();
    assert_eq!(body["freshness"], "stale");
    assert_eq!(body["last_failure"]["kind"], "unavailable", "{body}");

    nebius.controls().clear_faults();
    let_time_pass(Duration::from_secs(600)).await;
    let body = service.get("/quotas/nebius/eu-north1").await.json();
    assert_eq!(body["freshness"], "fresh", "{body}");
    assert_eq!(nebius.controls().most_concurrent(Method::ExchangeToken), 1);
}

#[tokio::test(start_paused = true)]
async fn offers_say_which_quota_binds_and_what_can_be_allocated_now() {
    let nebius = nebius().await;
    let setup = setup(&nebius);
    let service = setup.start().await;
    service.ready().await;

    let path = "/offers?region=eu-north1&gpu=H100&spot=false&min_gpu_count=8";
    let body = service.get(path).await.json();
    let offer = &body["offers"][0];
    assert_eq!(offer["instance_type"], "gpu-h100-sxm 8gpu-128vcpu-1600gb");
    // 24 of the tenant's 32 GPUs are in use.
    assert_eq!(offer["availability"], "available", "{offer}");
    assert_eq!(offer["launchable"], 1);
    assert_eq!(
        offer["quota"]["binding"]["code"],
        "compute.instance.gpu.h100"
    );
    assert_eq!(offer["quota"]["binding"]["available"], 8);
    let capacity = &offer["capacity"];
    assert!(capacity["available"].is_u64(), "{offer}");
    assert!(capacity["level"].is_string());

    let twice = service.get(&format!("{path}&count=2")).await.json();
    assert_eq!(twice["offers"][0]["availability"], "no_quota");
}

#[tokio::test(start_paused = true)]
async fn a_binding_quota_is_the_row_of_the_quotas_fresh_and_expired() {
    let nebius = nebius().await;
    let setup = setup(&nebius);
    let service = setup.start().await;
    service.ready().await;
    // For each binding quota its row as `/quotas` has it, and how the limit is said to be.
    let compare = async || {
        let rows = service.get("/quotas/nebius/eu-north1").await.json();
        let rows = rows["quotas"].as_array().unwrap();
        let answer = service.get("/offers?region=eu-north1&limit=0").await.json();
        let mut kinds = BTreeSet::new();
        let offers = answer["offers"].as_array().unwrap().iter();
        // Of CPU machines on spot Nebius does not say what they draw on besides.
        let bound: Vec<_> = offers
            .filter(|offer| offer["quota"]["binding"].is_object())
            .collect();
        assert!(bound.len() > 8, "{answer}");
        for offer in bound {
            let mut binding = offer["quota"]["binding"].clone();
            let required = binding.as_object_mut().unwrap().remove("required");
            assert!(required.is_some(), "{offer}");
            let is_same = |row: &&Value| {
                row["code"] == binding["code"] && row["container"] == binding["container"]
            };
            assert_eq!(rows.iter().find(is_same), Some(&binding), "{offer}");
            kinds.insert(binding["limit_kind"].as_str().map(str::to_owned));
        }
        kinds
    };
    assert_eq!(compare().await, BTreeSet::from([None]));

    // What has expired is shown by its first row, which mostly is a project's that inherits.
    nebius.controls().inject(Rule::new(Fault::Unavailable));
    let_time_pass(Duration::from_secs(2 * 3600)).await;
    assert!(compare().await.contains(&Some("inherited".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_cannot_be_read_keeps_its_offers() {
    let nebius = nebius().await;
    nebius
        .controls()
        .inject(Rule::new(Fault::PermissionDenied).on(Method::ListQuotas));
    let setup = setup(&nebius);
    let service = setup.start().await;
    service.ready().await;

    // Which regions it has would have come home with the first read, so that any may be its own.
    let body = service.get("/offers?limit=0").await.json();
    let offers = body["offers"].as_array().unwrap();
    assert_eq!(body["total"], 69);
    for offer in offers {
        assert_eq!(offer["availability"], "unknown", "{offer}");
        assert_eq!(offer["launchable"], Value::Null, "{offer}");
        let reason = offer["quota"]["reason"].as_str().unwrap();
        assert!(
            reason.contains("denied: ") && reason.contains("viewer"),
            "{offer}"
        );
        let binding = &offer["quota"]["binding"];
        assert!(binding["code"].is_string(), "{offer}");
        assert_eq!(binding["limit"], Value::Null, "{offer}");
    }
    let regions: BTreeSet<&str> = offers
        .iter()
        .map(|offer| offer["region"].as_str().unwrap())
        .collect();
    let backend = &body["backends"][0];
    assert_eq!(backend["status"], "unavailable");
    assert_eq!(backend["regions_unknown"], json!(regions));
    let failure = backend["failure"].as_str().unwrap();
    assert!(failure.starts_with("denied: "), "{failure}");

    let offer =
        json!({"backend": "nebius", "region": "eu-north9", "instance_type": "gpu-h100-sxm"});
    let request = service.request(reqwest::Method::POST, "/offers");
    let answer = service
        .send(request.json(&json!({"offers": [offer]})))
        .await
        .json();
    assert_eq!(answer["verdicts"][0]["availability"], "unknown");
}
