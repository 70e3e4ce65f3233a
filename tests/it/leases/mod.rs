//! Leases and verifications: the last second before a launch.

mod accounts;
mod crowds;
mod denials;
mod keys;
mod restarts;
mod simulation;
mod verifying;
mod visible;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Service, Setup};

const REGION: &str = "/quotas/aws/us-east-1";

/// An offer of eight GPUs, which takes 192 vCPU of the P quota.
fn p5() -> Value {
    json!({"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge", "spot": false})
}

/// An offer of a P instance that takes so many vCPU.
fn p_of(cpus: u32) -> Value {
    let mut offer = p5();
    offer["instance_type"] = "p3.2xlarge".into();
    offer["cpus"] = cpus.into();
    offer
}

async fn post(service: &Service, path: &str, body: &Value) -> Answer {
    let request = service.request(Method::POST, path).json(body);
    service.send(request).await
}

async fn delete(service: &Service, path: &str) -> Answer {
    service.send(service.request(Method::DELETE, path)).await
}

/// Takes a lease of two minutes on an offer.
async fn take(service: &Service, offer: &Value, count: u32) -> Answer {
    let body = json!({"offer": offer, "count": count, "ttl": "2m"});
    post(service, "/leases", &body).await
}

/// Takes a lease that is granted.
async fn taken(service: &Service, offer: &Value, count: u32) -> Value {
    let answer = take(service, offer, count).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Returns the leases that live.
async fn leases(service: &Service) -> Vec<Value> {
    let answer = service.get("/leases").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["leases"].as_array().unwrap().clone()
}

/// A service that reads on its own hardly ever.
fn quiet(setup: Setup) -> Setup {
    setup
        .set("backends.0.refresh_every", "6h")
        .set("cache.fresh_for", "3h")
        .set("cache.stale_for", "6h")
}
