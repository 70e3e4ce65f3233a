//! Stories about the fake cloud, one file for each thing that it brings.

mod global_quota;
mod hourly;
mod leases;
mod project_unit;
mod restrictions;
mod single_rows;
mod spot_demand;

use serde_json::Value;

use super::simulated::{PROJECT, SimulatedCloud, TOKEN};
use crate::harness::{Service, Setup, eventually};

/// The pages of a list of quotas or types, each of which is a call.
const PAGES: u64 = 2;

/// A configuration with a backend `fake`.
fn setup(cloud: &SimulatedCloud) -> Setup {
    let setup = Setup::without_backends().set("catalog.source", "catalog");
    setup.file("fake-token", TOKEN);
    std::fs::create_dir(setup.path("catalog")).unwrap();
    let mut catalog =
        "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n".to_owned();
    for region in ["north", "south"] {
        for spot in ["False", "True"] {
            catalog += &format!("cpu-8,{region},0.4,8,32.0,0,,,{spot}\n");
            catalog += &format!("gpu-1,{region},1.5,8,64.0,1,L4,24.0,{spot}\n");
            catalog += &format!("gpu-8,{region},9.5,32,512.0,8,L4,24.0,{spot}\n");
        }
    }
    setup.file("catalog/fake.csv", &catalog);
    backend(setup, cloud, "fake", "")
}

/// Adds another backend of the same project, with these keys besides.
fn backend(setup: Setup, cloud: &SimulatedCloud, name: &str, keys: &str) -> Setup {
    setup.backend(&format!(
        "name = \"{name}\"\nkind = \"fake\"\nproject = \"{PROJECT}\"\ntoken_file = \"fake-token\"\n\
         endpoint_url = \"{}\"\n{keys}",
        cloud.url
    ))
}

/// Starts the service and waits until the project is read and the catalog loaded.
async fn start(setup: &Setup) -> Service {
    let service = setup.start().await;
    service.ready().await;
    eventually("the catalog is loaded", async || {
        service.get("/offers").await.json()["total"] != 0
    })
    .await;
    service
}

/// Returns the offers that a query finds.
async fn offers(service: &Service, query: &str) -> Vec<Value> {
    let answer = service.get(&format!("/offers?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["offers"].as_array().unwrap().clone()
}

/// Returns the only offer that a query finds.
async fn offer(service: &Service, query: &str) -> Value {
    let found = offers(service, query).await;
    assert_eq!(found.len(), 1, "{query}: {found:?}");
    found[0].clone()
}

/// Returns the availability of an offer, its verdict and the code of the quota that decided.
fn said(offer: &Value) -> [&str; 3] {
    let quota = &offer["quota"];
    [
        &offer["availability"],
        &quota["verdict"],
        &quota["binding"]["code"],
    ]
    .map(|member| member.as_str().unwrap_or("null"))
}
