//! Every way to be refused ends in a problem document that says what is wrong and what helps.

use std::convert::Infallible;
use std::process::Command;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use futures_util::stream;
use simulated_clouds::aws::{Fault, FaultKind};

use quota_oracle::telemetry::{LogFormat, init_logs};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::harness::{Answer, Service, Setup, plain_aws};

async fn service() -> Service {
    let aws = plain_aws().await;
    let cloud = aws.controls();
    cloud.inject(Fault::new(FaultKind::AccessDenied).region("eu-west-1"));
    cloud.inject(Fault::new(FaultKind::Throttle).region("eu-west-2"));
    cloud.inject(Fault::new(FaultKind::Hang).region("eu-west-3"));
    let service = Setup::new(&aws)
        .set("server.max_body", "64KiB")
        .set("leases.max_live", 1)
        .set("backends.0.preload", false)
        .set(
            "backends.0.regions",
            vec!["us-east-1", "eu-west-1", "eu-west-2", "eu-west-3"],
        )
        .backend("name = \"broken\"\nkind = \"scripted\"\npreload = false\nreading = \"panics\"")
        .backend(
            "name = \"endless\"\nkind = \"scripted\"\npreload = false\nreading = \"never_ends\"",
        )
        .token("all", &["admin"])
        .token("reader", &["read"])
        .start()
        .await;
    // The simulated AWS runs as long as its handle lives.
    std::mem::forget(aws);
    service
}

#[test]
fn a_panic_is_a_line_of_the_log_under_the_id_of_its_request() {
    // The hook is the whole process's, so it is one of its own.
    let printed = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "problems::panics", "--nocapture"])
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    let log = String::from_utf8(printed.stderr).unwrap();
    let panics: Vec<&str> = log.lines().filter(|l| l.contains("panicked")).collect();
    let [line] = panics[..] else {
        panic!("one line in:\n{log}")
    };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["span"]["request_id"], "job-7");
    let location = line["location"].as_str().unwrap();
    assert!(location.contains("scripted.rs"), "{location}");
}

#[tokio::test]
#[ignore = "is started by the story above, since it changes how its process panics"]
async fn panics() {
    init_logs(LogFormat::Json, "info");
    let service = service().await;
    let offer = json!({"backend": "broken", "region": "nowhere-1", "instance_type": "x"});
    let request = service
        .request(Method::POST, "/offers")
        .bearer_auth("all")
        .header("x-request-id", "job-7")
        .json(&json!({"offers": [offer]}));
    assert_eq!(service.send(request).await.status, 500);
}

/// Makes a request of what is known of it so far.
type Build<'b> = &'b dyn Fn(Builder) -> Request<Body>;

#[tokio::test(start_paused = true)]
async fn every_kind_of_problem_that_is_documented_can_be_met() {
    let service = service().await;
    let with_type = |request: Builder| request.header("content-type", "application/json");
    let empty = |request: Builder| request.body(Body::empty()).unwrap();
    let text = |request: Builder| request.body(Body::from("text")).unwrap();
    let large = |request: Builder| request.body(Body::from(vec![b' '; 65 * 1024])).unwrap();
    let compressed = |request: Builder| {
        let request = with_type(request).header("content-encoding", "gzip");
        request.body(Body::empty()).unwrap()
    };
    let silent = |request: Builder| {
        let body = Body::from_stream(stream::pending::<Result<&[u8], Infallible>>());
        with_type(request).body(body).unwrap()
    };
    let panics = |request: Builder| {
        let offer = json!({"backend": "broken", "region": "nowhere-1", "instance_type": "x"});
        let body = Body::from(json!({"offers": [offer]}).to_string());
        with_type(request).body(body).unwrap()
    };
    let launch = |instance_type: &str, count: u32| {
        let offer =
            json!({"backend": "aws", "region": "us-east-1", "instance_type": instance_type});
        json!({"offer": offer, "count": count})
    };
    let lease = |request: Builder, body: Value| {
        let body = Body::from(body.to_string());
        with_type(request).body(body).unwrap()
    };
    let one_more = |request: Builder| lease(request, launch("zz9.large", 1));
    let too_large = |request: Builder| lease(request, launch("p5.48xlarge", 10_000));
    let with_key = |request: Builder| {
        let request = request.header("idempotency-key", "used");
        lease(request, launch("zz9.large", 2))
    };
    let (get, post) = (&Method::GET, &Method::POST);
    let region = "/quotas/aws/us-east-1";
    let of_a_page = |request: Builder| empty(request.header("origin", "http://elsewhere.example"));
    // The region is read, and the one lease that may live is taken.
    assert_eq!(service.get_as("all", region).await.status, 200);
    let first = service.request(Method::POST, "/leases").bearer_auth("all");
    let first = first
        .header("idempotency-key", "used")
        .json(&launch("zz9.large", 1));
    assert_eq!(service.send(first).await.status, 201);
    let cases: [(&str, &Method, &str, Build<'_>, u16, &str); 19] = [
        ("all", post, "/refresh/aws", &of_a_page, 403, "cross-site"),
        ("all", post, "/leases", &too_large, 409, "no-room"),
        ("all", post, "/leases", &one_more, 503, "too-many-leases"),
        (
            "all",
            post,
            "/leases",
            &with_key,
            422,
            "idempotency-key-reused",
        ),
        (
            "all",
            post,
            "/leases/x/commit",
            &empty,
            404,
            "unknown-lease",
        ),
        ("all", get, "/quotas?x=1", &empty, 400, "bad-request"),
        ("who", get, region, &empty, 401, "unauthenticated"),
        ("reader", post, "/refresh/aws", &empty, 403, "forbidden"),
        ("all", get, "/quotas/x", &empty, 404, "unknown-backend"),
        ("all", get, "/quotas/aws/x", &empty, 404, "unknown-region"),
        ("all", get, "/x", &empty, 404, "unknown-route"),
        ("all", post, region, &empty, 405, "method-not-allowed"),
        ("all", post, "/offers", &large, 413, "body-too-large"),
        ("all", post, "/offers", &text, 415, "unsupported-media-type"),
        (
            "all",
            post,
            "/offers",
            &compressed,
            415,
            "unsupported-coding",
        ),
        ("all", post, "/offers", &panics, 500, "internal"),
        (
            "all",
            get,
            "/quotas/aws/eu-west-1",
            &empty,
            502,
            "cloud-refused",
        ),
        (
            "all",
            get,
            "/quotas/aws/eu-west-2",
            &empty,
            503,
            "not-read-yet",
        ),
        ("all", post, "/offers", &silent, 503, "deadline"),
    ];
    let mut met = Vec::new();
    for (token, method, path, build, status, slug) in cases {
        let bearer = format!("Bearer {token}");
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", "localhost");
        let request = build(request.header("authorization", bearer));
        let response = service.function().oneshot(request).await.unwrap();
        Answer::of(response).await.problem(status, slug);
        met.push(slug);
    }
    let alone = Setup::at("http://127.0.0.1:1")
        .set("backends.0.preload", false)
        .set("cache.redis_url", "redis://127.0.0.1:1")
        .start()
        .await;
    let unknown = alone.post("/leases/x/commit").await;
    unknown.problem(503, "store-away");
    met.push("store-away");
    // In the stories of browsers, heavy questions and the end.
    met.extend(["foreign-host", "overloaded", "stopping"]);
    met.sort_unstable();
    let document = service.get_as("all", "/openapi.json").await.json();
    let documented = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let urns = documented.as_array().unwrap().iter();
    let mut documented: Vec<&str> = urns
        .map(|urn| urn.as_str().unwrap().rsplit(':').next().unwrap())
        .collect();
    documented.sort_unstable();
    assert_eq!(met, documented);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_named_beside_what_does() {
    let service = service().await;
    let get = async |path: &str| service.get_as("all", path).await;

    let body = get("/quotas/awz/us-east-1")
        .await
        .problem(404, "unknown-backend");
    assert_eq!(
        body["detail"],
        "there is no backend `awz`; did you mean `aws`?"
    );
    assert_eq!(body["known"], json!(["aws", "broken", "endless"]));
    assert_eq!(body["instance"], "/quotas/awz/us-east-1");
    get("/quotas/awz").await.problem(404, "unknown-backend");

    let body = get("/quotas/aws/us-east-2")
        .await
        .problem(404, "unknown-region");
    assert_eq!(
        body["detail"],
        "aws has no region `us-east-2`; did you mean `us-east-1`?"
    );
    assert_eq!(body["known"].as_array().unwrap().len(), 4);

    let body = get("/no/such/thing").await.problem(404, "unknown-route");
    assert!(body["detail"].as_str().unwrap().contains("/no/such/thing"));

    let body = get("/quotas/aws/us-east-1?max_ago=3s")
        .await
        .problem(400, "bad-request");
    assert_eq!(
        body["detail"],
        "there is no query parameter `max_ago`; did you mean `max_age`?"
    );
    assert_eq!(body["field"], "max_ago");
    assert_eq!(
        body["known"],
        json!(["max_age", "service", "code", "format"])
    );
    get("/quotas?region=us-east-1")
        .await
        .problem(400, "bad-request");
    get("/quotas/aws?code=1").await.problem(400, "bad-request");
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_with_the_part_that_is_wrong() {
    let service = service().await;
    let get = async |path: &str| service.get_as("all", path).await;

    for (query, field) in [
        ("max_age=soon", "max_age"),
        ("max_age=-3s", "max_age"),
        ("max_age=", "max_age"),
        ("max_age=1s&max_age=2s", "max_age"),
        ("format=xml", "format"),
    ] {
        let answer = get(&format!("/quotas/aws/us-east-1?{query}")).await;
        let body = answer.problem(400, "bad-request");
        assert_eq!(body["field"], field, "{query}");
    }
    get("/quotas/%FF/us-east-1")
        .await
        .problem(400, "bad-request");

    let request = service.request(Method::DELETE, "/quotas/aws/us-east-1");
    let answer = service.send(request.bearer_auth("all")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");

    let request = service.request(Method::POST, "/refresh/aws/us-east-1");
    let answer = service
        .send(request.bearer_auth("all").body(vec![b' '; 65 * 1024]))
        .await;
    answer.problem(413, "body-too-large");
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_the_right_token_learns_what_is_needed() {
    let service = service().await;

    for path in [
        "/quotas",
        "/metrics",
        "/",
        "/docs",
        "/openapi.json",
        "/no/such/thing",
    ] {
        let answer = service.get(path).await;
        answer.problem(401, "unauthenticated");
        assert!(!answer.header("www-authenticate").is_empty());
        service
            .get_as("wrong", path)
            .await
            .problem(401, "unauthenticated");
    }
    let body = service
        .get_as("reader", "/quotas/aws/us-east-1?max_age=1s")
        .await
        .problem(403, "forbidden");
    assert_eq!(
        body["detail"],
        "this needs the scope `verify`, which the token `bearer of reader` does not have"
    );
    let request = service.request(Method::POST, "/refresh/aws");
    let answer = service.send(request.bearer_auth("reader")).await;
    answer.problem(403, "forbidden");
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_cannot_be_read_is_explained() {
    let service = service().await;
    let get = async |path: &str| service.get_as("all", path).await;

    let body = get("/quotas/aws/eu-west-1")
        .await
        .problem(502, "cloud-refused");
    assert_eq!(body["failure"]["kind"], "denied");
    let advice = body["failure"]["advice"].as_str().unwrap();
    assert!(advice.contains("servicequotas:GetServiceQuota"), "{advice}");

    let answer = get("/quotas/aws/eu-west-2").await;
    let body = answer.problem(503, "not-read-yet");
    assert_eq!(body["failure"]["kind"], "throttled");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(body["retry_after_seconds"], wait);

    for path in ["/quotas/aws/eu-west-3", "/quotas/endless/nowhere-1"] {
        let asked = Instant::now();
        let answer = get(path).await;
        let waited = asked.elapsed();
        let body = answer.problem(503, "not-read-yet");
        assert_eq!(body["failure"]["kind"], "timeout", "{body}");
        assert!(!answer.header("retry-after").is_empty());
        assert!(waited >= Duration::from_secs(10) && waited < Duration::from_secs(11));
    }

    let body = get("/quotas/broken/nowhere-1")
        .await
        .problem(502, "cloud-refused");
    assert_eq!(body["failure"]["kind"], "malformed");
    let overview = get("/quotas").await.json();
    assert_eq!(overview["backends"][1]["status"], "unavailable");
}

#[tokio::test(start_paused = true)]
async fn every_answer_carries_a_request_id_and_keeps_the_callers_own() {
    let service = service().await;
    for path in ["/healthz", "/quotas", "/no/such/thing"] {
        let plain = service.get(path).await;
        assert_eq!(plain.header("x-request-id").len(), 32);
        let request = service.request(Method::GET, path);
        let answer = service.send(request.header("x-request-id", "job-7")).await;
        assert_eq!(answer.header("x-request-id"), "job-7");
        let request = service.request(Method::GET, path);
        let answer = service
            .send(request.header("x-request-id", "two words"))
            .await;
        assert_eq!(answer.header("x-request-id").len(), 32);
    }
}
