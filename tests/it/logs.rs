//! Log lines of a request: every line is one of JSON, under the id that its caller gave.

use reqwest::Client;
use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{Process, Setup, all_calls, eventually, plain_aws};

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_that_a_request_causes_are_logged_under_its_id() {
    let aws = plain_aws().await;
    let throttled = Fault::new(FaultKind::Throttle).operation("GetServiceQuota");
    aws.controls().inject(throttled.times(1));
    let file = Setup::new(&aws)
        .set("server.request_timeout", "60s")
        .set("backends.0.preload", false)
        .write();
    let debug = [("RUST_LOG", "quota_oracle=debug")];
    let (mut process, url) = Process::serve(&file.path, &debug).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{url}/quotas/aws/us-east-1"));
    let request = request.header("x-request-id", "job-7");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-request-id"], "job-7");
    // It would wait for the idle connection.
    drop((answer, client));
    process.terminate();
    assert!(process.ended().await.success());

    let output = process.output();
    let parsed = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let lines: Vec<Value> = parsed.collect();
    let saying = |message: &str| {
        let said = lines.iter().filter(|line| line["message"] == message);
        said.collect::<Vec<_>>()
    };
    let (throttles, called) = (saying("upstream call throttled"), saying("upstream call"));
    assert_eq!(throttles.len(), 1, "{output}");
    assert_eq!(throttles[0]["operation"], "GetServiceQuota");
    assert_eq!(throttles[0]["level"], "WARN");
    // The one that was throttled has been told of.
    assert_eq!(called.len() as u64 + 1, all_calls(&aws.controls()));
    for line in throttles.into_iter().chain(called) {
        assert_eq!(
            (&line["backend"], &line["region"]),
            (&"aws".into(), &"us-east-1".into())
        );
        let mut spans = line["spans"].as_array().unwrap().iter();
        let request = spans.find(|span| span["name"] == "request");
        let request = request.unwrap_or_else(|| panic!("no request in {line}"));
        assert_eq!(request["request_id"], "job-7");
        assert_eq!(request["path"], "/quotas/aws/us-east-1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_all_regions_share_is_one_line_and_no_dump_of_a_library() {
    // Nobody listens there.
    let nowhere = Setup::at("http://127.0.0.1:1");
    let regions = [
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "eu-north-1",
        "ap-south-1",
    ];
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    let denied = Setup::new(&aws);
    aws.controls().verify_signatures(true);
    for (setup, kind) in [(nowhere, "unavailable"), (denied, "denied")] {
        let file = setup.set("backends.0.regions", regions.to_vec()).write();
        let (mut process, url) = Process::serve(&file.path, &[]).await;
        let client = Client::builder().no_proxy().build().unwrap();
        let failed = async || {
            let answer = client.get(format!("{url}/readyz")).send().await.unwrap();
            let body: Value = answer.json().await.unwrap();
            body["failed_count"] == regions.len()
        };
        eventually("all regions have failed", failed).await;
        drop(client);
        process.terminate();
        assert!(process.ended().await.success());

        let output = process.output();
        let lines: Vec<Value> = output
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect();
        let told = |line: &&Value| {
            let message = line["message"].as_str().unwrap_or_default();
            message.starts_with("quota fetch failed")
        };
        let told: Vec<&Value> = lines.iter().filter(told).collect();
        assert_eq!(told.len(), 1, "{output}");
        assert_eq!(told[0]["kind"], kind, "{output}");
        for line in &lines {
            let target = line["target"].as_str().unwrap_or_default();
            assert!(!target.starts_with("aws"), "{line}");
            assert!(line.to_string().len() < 2000, "{line}");
        }
    }
}
