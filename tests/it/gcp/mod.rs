//! Google Cloud through the front door: one read of the project for everybody, quotas of three
//! services, answers that outlive trouble, offers judged by what was granted.

mod check;
mod credentials;
mod failures;
mod questions;
mod rows;
mod shared_limits;

use axum::body::Body;
use axum::http::Request;
use reqwest::Method as Verb;
use serde_json::{Value, json};
use simulated_clouds::gcp::{Method, Settings, SimulatedGcp};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::harness::{Service, Setup};

const H100: &str = "GPUS_PER_GPU_FAMILY/NVIDIA_H100";

/// The quotas of Cloud Quotas that are read.
const FAMILY_QUOTAS: u64 = 7;

async fn gcp() -> SimulatedGcp {
    SimulatedGcp::start(Settings::default()).await.unwrap()
}

fn endpoints(gcp: &SimulatedGcp) -> String {
    let url = gcp.url();
    format!(
        "endpoints = {{ compute = \"{url}\", quotas = \"{url}\", monitoring = \"{url}\", \
         metadata = \"{url}\" }}"
    )
}

/// A configuration with a backend `gcp`, of the simulated service account, and a small catalog.
fn setup(gcp: &SimulatedGcp) -> Setup {
    let setup = Setup::without_backends().set("catalog.source", "catalog");
    setup.file("gcp.json", &gcp.key_file());
    std::fs::create_dir(setup.path("catalog")).unwrap();
    setup.file("catalog/gcp.csv", CATALOG);
    setup.backend(&format!(
        "kind = \"gcp\"\ncredentials = {{ source = \"service_account\", file = \"gcp.json\" }}\n{}",
        endpoints(gcp)
    ))
}

const CATALOG: &str = "\
instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot
g2-standard-4,us-central1-a,0.7,4,16.0,1,L4,24.0,False
g2-standard-4,us-central1-b,0.7,4,16.0,1,L4,24.0,False
g2-standard-4,us-central1-a,0.3,4,16.0,1,L4,24.0,True
a2-highgpu-1g,europe-west4-a,3.7,12,85.0,1,A100,40.0,False
n1-standard-8,us-central1-a,0.4,8,30.0,0,,,False
n1-standard-8,us-central1-a,0.7,8,30.0,1,T4,16.0,False
n1-standard-8,us-central1-a,1.8,8,30.0,4,T4,16.0,False
";

/// Starts the service and waits until the project is read.
async fn start(gcp: &SimulatedGcp) -> Service {
    let service = setup(gcp).start().await;
    service.ready().await;
    service
}

/// An offer of the caller's own.
fn offer(region: &str, instance_type: &str, spot: bool) -> Value {
    json!({"backend": "gcp", "region": region, "instance_type": instance_type, "spot": spot})
}

/// The verdicts on these offers.
async fn judged(service: &Service, count: u32, offers: &[Value]) -> Vec<Value> {
    let request = service.request(Verb::POST, "/offers");
    let body = json!({"count": count, "offers": offers});
    let answer = service.send(request.json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["verdicts"].as_array().unwrap().clone()
}

/// Has the project read anew, and returns the status.
async fn refresh(service: &Service) -> u16 {
    service.post("/refresh/gcp").await.status
}

#[tokio::test(start_paused = true)]
async fn five_hundred_callers_over_all_regions_cost_one_read_of_the_project() {
    let gcp = gcp().await;
    let service = setup(&gcp).set("backends.0.preload", false).start().await;
    let mut regions = Vec::new();
    gcp.controls()
        .edit(|project| regions.extend(project.regions.keys().cloned()));
    assert_eq!(regions.len(), 43);
    let mut callers = JoinSet::new();
    for region in regions.iter().cycle().take(500) {
        let function = service.function();
        let path = format!("/quotas/gcp/{region}");
        callers.spawn(async move {
            let request = Request::get(path).header("host", "localhost");
            let request = request.body(Body::empty()).unwrap();
            function.oneshot(request).await.unwrap().status().as_u16()
        });
    }
    assert_eq!(callers.join_all().await, [200; 500]);
    let calls = |method| gcp.controls().calls(method);
    assert_eq!(calls(Method::ExchangeToken), 1);
    assert_eq!(calls(Method::ListRegions), 1);
    assert_eq!(calls(Method::GetProject), 1);
    assert_eq!(calls(Method::GetQuotaInfo), FAMILY_QUOTAS);
    assert_eq!(calls(Method::ListTimeSeries), 3);
    assert_eq!(calls(Method::GetRegion), 0);
    assert_eq!(gcp.controls().throttled(), 0);
    let unknown = service.get("/quotas/gcp/us-east-1").await;
    let unknown = unknown.problem(404, "unknown-region");
    assert!(
        unknown["known"].as_array().unwrap().len() == 43,
        "{unknown}"
    );
}

#[tokio::test(start_paused = true)]
async fn offers_of_the_catalog_are_by_region_and_told_apart_by_their_gpus() {
    let gcp = gcp().await;
    let service = start(&gcp).await;
    let found = service
        .get("/offers?instance_type=n1-standard-8")
        .await
        .json();
    let offers = found["offers"].as_array().unwrap().iter();
    let said: Vec<_> = offers
        .map(|offer| {
            assert_eq!(offer["region"], "us-central1");
            let quota = &offer["quota"];
            let binding = &quota["binding"]["code"];
            (
                offer["gpu"]["count"].as_u64(),
                binding.clone(),
                offer["launchable"].clone(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (None, json!("CPUS"), json!(22)),
            (Some(1), json!("NVIDIA_T4_GPUS"), json!(3)),
            (Some(4), json!("NVIDIA_T4_GPUS"), json!(0)),
        ]
    );
    // Two zones of a region are one offer.
    let found = service
        .get("/offers?instance_type=g2-standard-4")
        .await
        .json();
    assert_eq!(found["total"], 2, "{found}");
    // A call that names no GPU means the machine without one.
    let plain = judged(&service, 1, &[offer("us-central1", "n1-standard-8", false)]).await;
    assert_eq!(plain[0]["quota"]["binding"]["code"], "CPUS");
    assert_eq!(plain[0]["quota"]["binding"]["required"], 8);
}

#[tokio::test(start_paused = true)]
async fn the_bundled_catalog_offers_machines_of_google_cloud() {
    let gcp = gcp().await;
    let service = setup(&gcp).set("catalog.source", "bundled").start().await;
    service.ready().await;
    let path = "/offers?region=us-central1&gpu=H100&spot=false&min_gpu_count=8";
    let found = service.get(path).await.json();
    let offers = found["offers"].as_array().unwrap();
    let high = offers
        .iter()
        .find(|offer| offer["instance_type"] == "a3-highgpu-8g");
    let high = high.unwrap();
    assert_eq!(high["availability"], "available", "{high}");
    assert_eq!(high["launchable"], 1);
    assert_eq!(high["quota"]["binding"]["code"], H100);
    assert!(high["price"].as_f64().unwrap() > 50.0);
    let path = "/offers?region=us-east4&instance_type=a3-megagpu-8g&spot=false";
    let mega = service.get(path).await.json()["offers"][0].clone();
    assert_eq!(mega["availability"], "no_quota", "{mega}");
    assert_eq!(
        mega["quota"]["binding"]["code"],
        "GPUS_PER_GPU_FAMILY/NVIDIA_H100_MEGA"
    );
}
