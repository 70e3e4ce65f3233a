//! Log lines of a request: every line is one of JSON, under the id that its caller gave.

use reqwest::Client;
use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{Process, Setup, all_calls, plain_aws};

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
