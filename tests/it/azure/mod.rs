//! Azure through the front door: one read a location, the slow list of sizes behind it, offers
//! judged by family and total, restrictions beside the quotas.

mod check;
mod cold;
mod credentials;
mod expected;
mod extras;
mod failures;
mod pages;
mod questions;
mod tables;
mod throttling;

use std::time::Duration;

use reqwest::Method as Verb;
use serde_json::{Value, json};
use simulated_clouds::azure::{
    CLIENT_ID, CLIENT_SECRET, SUBSCRIPTION_ID, Settings, SimulatedAzure, TENANT_ID,
};

use crate::harness::{Service, Setup, let_time_pass};

async fn azure() -> SimulatedAzure {
    let settings = Settings {
        // The list of sizes is large enough without them.
        other_resources: 8,
        ..Settings::default()
    };
    SimulatedAzure::start(settings).await.unwrap()
}

/// A configuration with a backend `azure` of these locations and credentials, and a small catalog.
fn setup_with(azure: &SimulatedAzure, locations: &[&str], credentials: &str) -> Setup {
    let url = azure.url();
    let setup = Setup::without_backends().set("catalog.source", "catalog");
    std::fs::create_dir(setup.path("catalog")).unwrap();
    setup.file("catalog/azure.csv", CATALOG);
    setup.file("azure-secret", CLIENT_SECRET);
    let setup = setup.backend(&format!(
        "kind = \"azure\"\nsubscription = \"{SUBSCRIPTION_ID}\"\ncredentials = {credentials}\n\
         endpoints = {{ management = \"{url}\", authority = \"{url}\", metadata = \"{url}\" }}"
    ));
    match locations {
        [] => setup,
        locations => setup.set("backends.0.regions", locations.to_vec()),
    }
}

/// The same with the application's secret.
fn setup(azure: &SimulatedAzure, locations: &[&str]) -> Setup {
    let credentials = format!(
        "{{ source = \"client_secret\", client_id = \"{CLIENT_ID}\", client_secret_file = \
         \"azure-secret\" }}\ntenant = \"{TENANT_ID}\""
    );
    setup_with(azure, locations, &credentials)
}

const CATALOG: &str = "\
instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot
Standard_D4s_v5,eastus,0.19,4,16.0,0,,,False
Standard_D4s_v5,eastus,,4,16.0,0,,,True
Standard_D4s_v5,westeurope,0.23,4,16.0,0,,,False
Standard_ND96isr_H100_v5,eastus,98.3,96,1900.0,8,H100,80.0,False
Standard_ND96isr_H100_v5,eastus2,98.3,96,1900.0,8,H100,80.0,False
";

/// Starts the service and waits until these locations are read, with their sizes.
async fn start(azure: &SimulatedAzure, locations: &[&str]) -> Service {
    let service = setup(azure, locations).start().await;
    service.ready().await;
    for location in locations {
        become_whole(&service, location).await;
    }
    service
}

/// Waits until nothing is missing of a location.
async fn become_whole(service: &Service, location: &str) {
    for _ in 0..90 {
        if gaps(&region(service, location).await) == "null" {
            return;
        }
        let_time_pass(Duration::from_secs(2)).await;
    }
    panic!("{}", gaps(&region(service, location).await));
}

async fn region(service: &Service, location: &str) -> Value {
    let path = format!("/quotas/azure/{location}");
    service.get(&path).await.json()
}

fn gaps(body: &Value) -> String {
    body["gaps"].to_string()
}

fn row(body: &Value, code: &str) -> Value {
    let mut rows = body["quotas"].as_array().into_iter().flatten();
    let row = rows.find(|row| row["code"] == code);
    row.cloned().unwrap_or_default()
}

/// An offer of the caller's own.
fn offer(region: &str, instance_type: &str, spot: bool) -> Value {
    json!({"backend": "azure", "region": region, "instance_type": instance_type, "spot": spot})
}

/// The verdicts on these offers.
async fn judged(service: &Service, count: u32, offers: &[Value]) -> Vec<Value> {
    let request = service.request(Verb::POST, "/offers");
    let body = json!({"count": count, "offers": offers});
    let answer = service.send(request.json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["verdicts"].as_array().unwrap().clone()
}

/// Has a location read anew, and returns the status.
async fn refresh(service: &Service, location: &str) -> u16 {
    let path = format!("/refresh/azure/{location}");
    service.post(&path).await.status
}
