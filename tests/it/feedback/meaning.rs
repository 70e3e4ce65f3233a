//! The meaning of an error, without learning from it.

use serde_json::{Value, json};

use crate::harness::{P, Setup};

use super::{availability, met, post, service};

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_and_learns_nothing() {
    let (_aws, service) = service().await;
    let body = json!({
        "backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge",
        "error": met(0), "dry_run": true,
    });
    let answer = post(&service, "/feedback", &body).await;
    assert_eq!(answer.status, 200);
    let meaning = answer.json();
    let scope = json!({
        "level": "quota", "region": "us-east-1", "zone": null, "instance_type": null,
        "market": "on_demand", "quota": P, "resource": null, "service": null,
    });
    let expected = json!({
        "class": "quota", "scope": scope, "quota_code": P,
        "quota_name": "Running On-Demand P instances", "limit": 0, "usage": null,
        "required": null, "transient": false, "until": null,
    });
    assert_eq!(meaning, expected);
    assert_eq!(availability(&service, "p5.48xlarge").await, "available");
    let labels = "backend=\"aws\",class=\"quota\"";
    assert_eq!(service.metric("feedback_total", labels).await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_may_stand_for_a_backend_in_a_dry_run() {
    let service = Setup::without_backends()
        .backend("name = \"other\"\nkind = \"scripted\"\npreload = false\nreading = \"never_ends\"")
        .start()
        .await;
    let explained = async |body: Value| {
        let answer = post(&service, "/feedback", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let aws = explained(json!({
        "cloud": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge", "spot": true,
        "error": {"code": "MaxSpotInstanceCountExceeded"}, "dry_run": true, "outcome": "failed",
    }))
    .await;
    assert_eq!(aws["quota_code"], "L-C4BD4855");
    let oci = explained(json!({
        "cloud": "oci", "region": "eu-frankfurt-1", "instance_type": "BM.GPU.H100.8",
        "error": {"code": 500, "message": "{'code': 'InternalError', 'message': 'Out of host capacity.'}"},
        "dry_run": true,
    }))
    .await;
    assert_eq!(oci["class"], "capacity");
    let nebius = explained(json!({
        "cloud": "nebius", "error": {"grpc_code": 8, "details": [{"code": "QuotaFailure",
            "quota_failure": {"violations": [{"quota": "compute.instance.gpu.h100",
                "limit": "8", "requested": "16"}]}}]},
        "dry_run": true,
    }))
    .await;
    assert_eq!(
        (&nebius["class"], &nebius["limit"]),
        (&json!("quota"), &json!(8))
    );

    let unknown = json!({"cloud": "azur", "dry_run": true});
    let problem = post(&service, "/feedback", &unknown).await;
    let problem = problem.problem(400, "bad-request");
    assert!(
        problem["detail"].as_str().unwrap().contains("`azure`"),
        "{problem}"
    );
    let learning = json!({"cloud": "aws", "outcome": "failed"});
    let problem = post(&service, "/feedback", &learning).await;
    assert_eq!(problem.problem(400, "bad-request")["field"], "cloud");
}

#[tokio::test(start_paused = true)]
async fn a_report_that_cannot_be_understood_is_refused_with_its_place() {
    let (_aws, service) = service().await;
    for (body, field) in [
        (json!({"backend": "aws"}), "outcome"),
        (json!({"outcome": "failed"}), "backend"),
        (json!({"backend": "aws", "outcome": "exploded"}), "outcome"),
        (
            json!({"backend": "aws", "outcome": "failed", "regoin": "x"}),
            "regoin",
        ),
        (
            json!({"backend": "aws", "outcome": "failed", "error": {"http_status": -1}}),
            "error.http_status",
        ),
        (
            json!({"backend": "aws", "outcome": "failed", "count": 0}),
            "count",
        ),
        (
            json!({"backend": "aws", "outcome": "failed", "region": "x".repeat(500)}),
            "region",
        ),
    ] {
        let answer = post(&service, "/feedback", &body).await;
        let problem = answer.problem(400, "bad-request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            problem["field"] == field || detail.contains(field),
            "{problem}"
        );
    }
    let unknown = json!({"backend": "azure", "outcome": "failed"});
    let answer = post(&service, "/feedback", &unknown).await;
    assert_eq!(
        answer.problem(404, "unknown-backend")["known"],
        json!(["aws"])
    );
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let body = format!(
        "{{\"backend\":\"aws\",\"outcome\":\"failed\",\"error\":{{\"details\":{nested}}}}}"
    );
    let request = service.request(reqwest::Method::POST, "/feedback");
    let request = request
        .header("content-type", "application/json")
        .body(body);
    service.send(request).await.problem(400, "bad-request");
}

#[tokio::test(start_paused = true)]
async fn null_stands_for_what_is_left_out() {
    let (_aws, service) = service().await;
    let body = json!({
        "backend": "aws", "region": null, "zone": null, "instance_type": null, "spot": null,
        "gpu": null, "count": null, "lease": null, "outcome": "failed", "error": {
            "code": null, "message": null, "http_status": null, "grpc_code": null, "details": null},
    });
    let answer = post(&service, "/feedback", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json()["class"], "other");
}
