//! The controls over HTTP.

use serde_json::{Value, json};

use super::*;
use crate::aws::Filter;

async fn post(aws: &SimulatedAws, path: &str, body: Value) -> u16 {
    let url = format!("{}/_sim/{path}", aws.url());
    let sent = reqwest::Client::new().post(url).body(body.to_string());
    sent.send().await.unwrap().status().as_u16()
}

async fn get(aws: &SimulatedAws, path: &str) -> Value {
    let url = format!("{}/_sim/{path}", aws.url());
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_limit_set_over_http_is_what_the_api_tells() {
    let aws = start().await;
    let change = json!({"region": "us-east-1", "code": P, "value": 96});
    assert_eq!(post(&aws, "limit", change.clone()).await, 204);
    assert_eq!(post(&aws, "launch", change.clone()).await, 204);
    assert_eq!(post(&aws, "launch", change).await, 409);
    let quotas = get(&aws, "quotas?region=us-east-1").await;
    let rows = quotas["quotas"].as_array().unwrap();
    let row = rows.iter().find(|row| row["code"] == P).unwrap();
    assert_eq!((&row["limit"], &row["usage"]), (&json!(96.0), &json!(96.0)));
}

#[tokio::test]
async fn a_fault_over_http_throttles_and_the_calls_are_counted() {
    let aws = start().await;
    let fault = json!({"kind": "throttle", "region": "us-east-1", "times": 1});
    assert_eq!(post(&aws, "fault", fault).await, 204);
    let client = client(&aws, "us-east-1");
    assert_eq!(
        refusal!(client.list_services().send()),
        seen("TooManyRequestsException", 400)
    );
    client.list_services().send().await.unwrap();
    let counted = get(&aws, "calls?operation=ListServices").await;
    assert_eq!(
        (&counted["calls"], &counted["throttled"]),
        (&json!(2), &json!(1))
    );
    let log = get(&aws, "log?last=1").await;
    assert_eq!(log["log"][0]["outcome"], "ok");
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_a_reason() {
    let aws = start().await;
    let elsewhere = json!({"region": "mars-north-1", "code": P, "value": 1});
    assert_eq!(post(&aws, "limit", elsewhere).await, 404);
    assert_eq!(post(&aws, "fault", json!({"kind": "melt"})).await, 400);
    let misspelt = json!({"kind": "hang", "reigon": "us-east-1"});
    assert_eq!(post(&aws, "fault", misspelt).await, 400);
    assert_eq!(aws.controls().calls(&Filter::any()), 0);
}
