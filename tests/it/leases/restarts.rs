//! Leases outlive the process that granted them, however it ends.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{REGION, leases, p5, post, quiet, take, taken};
use crate::harness::{ACCOUNT, P, Process, Setup, let_time_pass, plain_aws};

#[tokio::test(start_paused = true)]
async fn leases_and_commits_survive_a_restart() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 400.0).unwrap();
    let setup = quiet(Setup::new(&aws))
        .set("cache.directory", "data")
        .set("backends.0.usage_delay", "60s");
    let service = setup.start().await;
    service.ready().await;
    let first = taken(&service, &p5(), 1).await;
    let_time_pass(Duration::from_secs(1)).await;
    let second = taken(&service, &p5(), 1).await;
    let path = format!("/leases/{}/commit", first["id"].as_str().unwrap());
    assert_eq!(post(&service, &path, &json!({})).await.status, 200);
    service.stop().await;

    let service = setup.start().await;
    let listed = leases(&service).await;
    let ids: Vec<_> = listed.iter().map(|lease| &lease["id"]).collect();
    assert_eq!(ids, [&first["id"], &second["id"]]);
    assert_eq!(
        (&listed[0]["state"], &listed[1]),
        (&json!("committed"), &second)
    );
    assert_eq!(service.get(REGION).await.quota(P)["leased"], 384);
    assert_eq!(take(&service, &p5(), 1).await.status, 409);
    service.stop().await;

    // Time passes while nobody serves, and what has expired meanwhile is gone.
    let_time_pass(Duration::from_secs(130)).await;
    let service = setup.start().await;
    assert_eq!(leases(&service).await.len(), 1);
    assert_eq!(service.get(REGION).await.quota(P)["leased"], 192);
    assert_eq!(service.post("/refresh/aws/us-east-1").await.status, 200);
    assert!(leases(&service).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_forgets_no_lease_that_it_has_granted() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls
        .set_limit(ACCOUNT, "us-east-1", P, 19_200.0)
        .unwrap();
    let setup = Setup::new(&aws).set("cache.directory", "data");
    let file = setup.write();
    let client = Client::builder().no_proxy().build().unwrap();
    let get = async |url: &str, path: &str| -> Value {
        let answer = client.get(format!("{url}{path}")).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let mut granted = Vec::new();
    for round in 0..4 {
        let (mut process, url) = Process::serve(&file.path, &[]).await;
        let body = get(&url, "/leases").await;
        let listed = body["leases"].as_array().unwrap();
        let ids: Vec<_> = listed.iter().map(|lease| lease["id"].clone()).collect();
        assert_eq!(ids, granted, "round {round}");
        // Known rows are there from the second start on.
        while get(&url, REGION).await["quotas"].is_null() {}
        for _ in 0..5 {
            let request = client.request(Method::POST, format!("{url}/leases"));
            let request = request.json(&json!({"offer": p5(), "ttl": "10m"}));
            let lease: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(lease["backed"], true, "{lease}");
            granted.push(lease["id"].clone());
        }
        process.kill();
    }
}
