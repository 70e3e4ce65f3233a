//! Feedback on launches: what each one teaches the next.

mod access;
mod capacity;
mod floods;
mod leases;
mod meaning;
mod outcomes;
mod quota;
mod real_errors;

use serde_json::{Value, json};
use simulated_clouds::aws::{Controls, SimulatedAws};

use crate::harness::{ACCOUNT, Answer, P, Service, Setup, plain_aws};

const REGION: &str = "us-east-1";

/// A service over an account with room for two of the large machines, as far as AWS tells.
async fn service() -> (SimulatedAws, Service) {
    let aws = plain_aws().await;
    set_limit(&aws.controls(), 384.0);
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    (aws, service)
}

fn set_limit(aws: &Controls, limit: f64) {
    aws.set_limit(ACCOUNT, REGION, P, limit).unwrap();
}

/// Posts a body as JSON.
async fn post(service: &Service, path: &str, body: &Value) -> Answer {
    let request = service.request(reqwest::Method::POST, path).json(body);
    service.send(request).await
}

async fn delete(service: &Service, path: &str) -> Answer {
    service
        .send(service.request(reqwest::Method::DELETE, path))
        .await
}

/// Reports how the launch of a large machine ended, and gives what was learnt.
async fn report(service: &Service, members: Value) -> Value {
    let mut body = json!({
        "backend": "aws",
        "region": REGION,
        "instance_type": "p5.48xlarge",
        "outcome": "failed",
    });
    for (name, member) in members.as_object().unwrap() {
        body[name] = member.clone();
    }
    let answer = post(service, "/feedback", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

/// The verdict on one launch.
async fn verdict(service: &Service, instance_type: &str, spot: bool) -> Value {
    let offer = json!({
        "backend": "aws",
        "region": REGION,
        "instance_type": instance_type,
        "spot": spot,
    });
    let answer = post(service, "/offers", &json!({"offers": [offer]})).await;
    answer.json()["verdicts"][0].clone()
}

async fn availability(service: &Service, instance_type: &str) -> Value {
    verdict(service, instance_type, false).await["availability"].clone()
}

/// The error that EC2 sends where it has no machine.
fn no_capacity() -> Value {
    json!({"code": "InsufficientInstanceCapacity", "http_status": 500, "message":
        "We currently do not have sufficient p5.48xlarge capacity in the Availability Zone you \
         requested (us-east-1c)."})
}

/// The error that EC2 sends where the limit is this.
fn met(limit: u32) -> Value {
    json!({"code": "VcpuLimitExceeded", "http_status": 400, "message": format!(
        "You have requested more vCPU capacity than your current vCPU limit of {limit} allows for \
         the instance bucket that the specified instance type belongs to.")})
}
