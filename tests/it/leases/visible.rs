//! Everybody sees a lease in the very next answer, and its end too.

use std::time::Duration;

use serde_json::{Value, json};

use super::{REGION, delete, leases, p5, post, quiet, take, taken};
use crate::harness::{ACCOUNT, P, Service, Setup, calls, let_time_pass, plain_aws};

const OFFER: &str = "/offers?instance_type=p5.48xlarge&region=us-east-1&spot=false";

async fn service(aws: &simulated_clouds::aws::SimulatedAws) -> Service {
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 400.0).unwrap();
    let setup = quiet(Setup::new(aws)).set("backends.0.usage_delay", "60s");
    let service = setup.start().await;
    service.ready().await;
    service
}

/// Returns what the row, the offer and the metrics say of the P quota: leased, available, verdict.
async fn said(service: &Service) -> (Value, Value, Value) {
    let row = service.get(REGION).await.quota(P);
    let offer = service.get(OFFER).await.json()["offers"][0].clone();
    let binding = &offer["quota"]["binding"];
    assert_eq!(
        (&row["leased"], &row["available"]),
        (&binding["leased"], &binding["available"])
    );
    let labels = format!(r#"backend="aws",region="us-east-1",code="{P}""#);
    let leased = service.metric("leased", &labels).await;
    assert_eq!(row["leased"].as_f64().unwrap(), leased);
    let labels = format!(r#"{labels},unit="vcpu",market="on_demand""#);
    let available = service.metric("quota_available", &labels).await;
    assert_eq!(row["available"].as_f64().unwrap(), available);
    (
        row["leased"].clone(),
        row["available"].clone(),
        offer["quota"]["verdict"].clone(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_seen_at_once_and_so_is_its_end() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    assert_eq!(said(&service).await, (json!(0), json!(400), json!("fits")));
    let before = service.get(REGION).await;
    assert!(
        before
            .header("cache-control")
            .starts_with("private, max-age=")
    );

    let lease = taken(&service, &p5(), 1).await;
    assert_eq!(
        (&lease["state"], &lease["backed"]),
        (&json!("held"), &json!(true))
    );
    assert_eq!(
        lease["holds"],
        json!([{"backend": "aws", "region": "us-east-1", "service": "ec2", "code": P,
                "container": null, "amount": 192}])
    );
    assert_eq!(
        said(&service).await,
        (json!(192), json!(208), json!("fits"))
    );
    let after = service.get(REGION).await;
    assert_eq!(after.header("cache-control"), "private, no-cache");
    assert_ne!(after.header("etag"), before.header("etag"));

    taken(&service, &p5(), 1).await;
    assert_eq!(
        said(&service).await,
        (json!(384), json!(16), json!("short"))
    );
    let refused = take(&service, &p5(), 1).await.problem(409, "no-room");
    let verdict = &refused["verdict"];
    assert_eq!(verdict["quota"]["verdict"], "short");
    assert_eq!(verdict["quota"]["binding"]["leased"], 384);
    let detail = "needs 192 vCPU of Running On-Demand P instances in us-east-1; 16 of 400 are free";
    assert_eq!(refused["detail"], detail);
    assert_eq!(leases(&service).await.len(), 2);
    assert_eq!(service.metric("leases", "backend=\"aws\"").await, 2.0);

    // One is released, the other expires by the clock alone.
    let path = format!("/leases/{}", lease["id"].as_str().unwrap());
    assert_eq!(delete(&service, &path).await.status, 204);
    delete(&service, &path).await.problem(404, "unknown-lease");
    assert_eq!(
        said(&service).await,
        (json!(192), json!(208), json!("fits"))
    );
    let_time_pass(Duration::from_secs(121)).await;
    assert_eq!(said(&service).await, (json!(0), json!(400), json!("fits")));
    assert!(leases(&service).await.is_empty());
    let end = service.get(REGION).await;
    assert!(end.header("cache-control").starts_with("private, max-age="));
    assert_eq!(end.header("etag"), before.header("etag"));
}

#[tokio::test(start_paused = true)]
async fn a_committed_lease_counts_until_a_late_enough_read_shows_it() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let lease = taken(&service, &p5(), 1).await;
    let path = |verb: &str| format!("/leases/{}{verb}", lease["id"].as_str().unwrap());
    let committed = post(&service, &path("/commit"), &json!({})).await;
    assert_eq!(
        (committed.status, &committed.json()["state"]),
        (200, &json!("committed"))
    );
    let again = post(&service, &path("/commit"), &json!({})).await;
    assert_eq!(again.json(), committed.json());
    let renewed = post(&service, &path("/renew"), &json!({"ttl": "5s"})).await;
    assert_eq!(renewed.json(), committed.json());

    // The cloud shows it soon, and until it must, it counts twice.
    aws.controls()
        .set_usage(ACCOUNT, "us-east-1", P, 192.0)
        .unwrap();
    let_time_pass(Duration::from_secs(30)).await;
    assert_eq!(service.post("/refresh/aws/us-east-1").await.status, 200);
    assert_eq!(
        said(&service).await,
        (json!(192), json!(16), json!("short"))
    );
    let_time_pass(Duration::from_secs(150)).await;
    assert_eq!(said(&service).await.0, 192);
    assert_eq!(leases(&service).await.len(), 1);

    assert_eq!(service.post("/refresh/aws/us-east-1").await.status, 200);
    assert_eq!(said(&service).await, (json!(0), json!(208), json!("fits")));
    assert!(leases(&service).await.is_empty());
    delete(&service, &path(""))
        .await
        .problem(404, "unknown-lease");
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_never_came_up_is_released_after_its_commit() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let lease = taken(&service, &p5(), 2).await;
    let path = |verb: &str| format!("/leases/{}{verb}", lease["id"].as_str().unwrap());
    assert_eq!(
        post(&service, &path("/commit"), &json!({})).await.status,
        200
    );
    assert_eq!(said(&service).await.0, 384);
    assert_eq!(delete(&service, &path("")).await.status, 204);
    assert_eq!(said(&service).await.0, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_blocks_nobody() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("backends.0.preload", false);
    let service = setup.start().await;
    let mut elsewhere = p5();
    elsewhere["region"] = "mars-1".into();
    for offer in [p5(), elsewhere] {
        let lease = taken(&service, &offer, 1).await;
        assert_eq!(
            (&lease["backed"], &lease["holds"]),
            (&json!(false), &json!([]))
        );
    }
    assert_eq!(calls(&aws.controls(), "GetServiceQuota"), 0);
    let mut nowhere = p5();
    nowhere["backend"] = "gcp".into();
    let unknown = take(&service, &nowhere, 1)
        .await
        .problem(404, "unknown-backend");
    assert_eq!(unknown["known"], json!(["aws"]));
}

#[tokio::test(start_paused = true)]
async fn leases_are_bounded_in_number_and_time() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 4000.0).unwrap();
    let setup = quiet(Setup::new(&aws))
        .set("leases.max_live", 2)
        .set("leases.max_ttl", "3m");
    let service = setup.start().await;
    service.ready().await;
    let body = json!({"offer": p5(), "ttl": "4m"});
    let refused = post(&service, "/leases", &body)
        .await
        .problem(400, "bad-request");
    assert_eq!(refused["field"], "ttl");
    for _ in 0..2 {
        taken(&service, &p5(), 1).await;
    }
    let full = take(&service, &p5(), 1).await;
    full.problem(503, "too-many-leases");
    assert!(!full.header("retry-after").is_empty());
    let_time_pass(Duration::from_secs(121)).await;
    taken(&service, &p5(), 1).await;
}

#[tokio::test(start_paused = true)]
async fn leases_are_for_those_who_may_and_see_the_backend() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 0.0).unwrap();
    let setup = quiet(Setup::new(&aws))
        .token("reader", &["read"])
        .token("verifier", &["verify"])
        .token_for("stranger", &["verify"], Some(&["other"]))
        .backend(
            "name = \"other\"\nkind = \"scripted\"\npreload = false\nreading = \"never_ends\"",
        );
    let service = setup.start().await;
    service.ready().await;
    let send = async |token: &str, method: reqwest::Method, path: &str, body: Value| {
        let request = service.request(method, path).bearer_auth(token).json(&body);
        service.send(request).await
    };
    let body = json!({"offer": p5(), "count": 1, "ttl": "2m"});
    let post = reqwest::Method::POST;
    for path in ["/leases", "/verify"] {
        let refused = send("reader", post.clone(), path, body.clone()).await;
        refused.problem(403, "forbidden");
    }
    let unseen = send("stranger", post.clone(), "/leases", body.clone()).await;
    unseen.problem(404, "unknown-backend");
    let lease = send("verifier", post.clone(), "/leases", body).await;
    assert_eq!(lease.status, 409, "{}", lease.text());
    let mut unknown = p5();
    unknown["instance_type"] = "zz9.large".into();
    let body = json!({"offer": unknown, "ttl": "2m"});
    let lease = send("verifier", post.clone(), "/leases", body).await;
    assert_eq!(lease.status, 201, "{}", lease.text());
    let id = lease.json()["id"].as_str().unwrap().to_owned();
    for (token, method, verb, status) in [
        ("reader", post.clone(), "/commit", 403),
        ("stranger", post.clone(), "/commit", 404),
        ("stranger", reqwest::Method::DELETE, "", 404),
        ("verifier", post.clone(), "/commit", 200),
        ("verifier", reqwest::Method::DELETE, "", 204),
    ] {
        let path = format!("/leases/{id}{verb}");
        let answer = send(token, method, &path, json!({})).await;
        assert_eq!(answer.status, status, "{token} {verb}: {}", answer.text());
    }
    let listed = service.get_as("stranger", "/leases").await;
    assert_eq!(listed.json(), json!({"leases": []}));
}

#[tokio::test(start_paused = true)]
async fn the_headroom_that_aws_clients_are_told_is_without_what_is_leased() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 400.0).unwrap();
    let answers = toml::toml! { value = "headroom" };
    let protocol = toml::toml! { verify = false };
    let service = quiet(Setup::new(&aws))
        .set("backends.0.aws_protocol", answers)
        .set("aws_protocol.verify", protocol["verify"].clone())
        .start()
        .await;
    service.ready().await;
    let value = async || {
        let request = service
            .request(reqwest::Method::POST, "/aws/aws")
            .header("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota")
            .header("content-type", crate::harness::AWS_JSON)
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIAANY/20261127/us-east-1/servicequotas/\
                     aws4_request, SignedHeaders=host, Signature={}",
                    "0".repeat(64)
                ),
            )
            .body(json!({"ServiceCode": "ec2", "QuotaCode": P}).to_string());
        service.send(request).await.json()["Quota"]["Value"].clone()
    };
    assert_eq!(value().await, 400.0);
    let lease = taken(&service, &p5(), 1).await;
    assert_eq!(value().await, 208.0);
    let path = format!("/leases/{}", lease["id"].as_str().unwrap());
    assert_eq!(delete(&service, &path).await.status, 204);
    assert_eq!(value().await, 400.0);
}
