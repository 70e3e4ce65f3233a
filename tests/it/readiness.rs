//! When the service says that it is ready, what it counts, and what its root leads to.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{Service, Setup, let_time_pass, plain_aws};

/// The names that dashboards and alerts rely on; one that goes away breaks them.
const METRICS: [&str; 17] = [
    "process_cpu_seconds_total counter",
    "process_resident_memory_bytes gauge",
    "quota_oracle_build_info gauge",
    "quota_oracle_catalog_failing gauge",
    "quota_oracle_coalesced_total counter",
    "quota_oracle_fetches_total counter",
    "quota_oracle_http_request_duration_seconds histogram",
    "quota_oracle_http_requests_total counter",
    "quota_oracle_quota_available gauge",
    "quota_oracle_quota_info gauge",
    "quota_oracle_quota_limit gauge",
    "quota_oracle_quota_usage gauge",
    "quota_oracle_regions gauge",
    "quota_oracle_snapshot_age_seconds gauge",
    "quota_oracle_upstream_calls_total counter",
    "quota_oracle_upstream_throttled_total counter",
    "quota_oracle_upstream_wait_seconds histogram",
];

#[tokio::test(start_paused = true)]
async fn the_service_is_ready_once_every_region_was_read_or_has_failed() {
    let aws = plain_aws().await;
    let cloud = aws.controls();
    cloud.inject(Fault::new(FaultKind::AccessDenied).region("eu-west-1"));
    let slow = Duration::from_secs(2);
    cloud.inject(Fault::slow(slow).region("us-east-1"));
    let service = Setup::new(&aws)
        .set(
            "backends.0.regions",
            vec!["us-east-1", "eu-west-1", "eu-west-2"],
        )
        .set("backends.0.preload", vec!["us-east-1", "eu-west-1"])
        .start()
        .await;

    let waiting = service.get("/readyz").await;
    assert_eq!(waiting.status, 503);
    let waiting = waiting.json();
    assert_eq!(waiting["status"], "waiting");
    assert_eq!(
        waiting["waiting_for"],
        json!(["aws/eu-west-1", "aws/us-east-1"])
    );
    assert_eq!(waiting["failed"], json!([]));
    assert_eq!(service.get("/healthz").await.json()["status"], "ok");

    service.ready().await;
    let ready = service.get("/readyz").await.json();
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["waiting_for"], json!([]));
    assert_eq!(ready["failed"].as_array().unwrap().len(), 1);
    assert_eq!(ready["failed"][0]["locations"], json!(["aws/eu-west-1"]));
    let failure = ready["failed"][0]["failure"].as_str().unwrap();
    assert!(failure.starts_with("denied: "), "{failure}");
    let overview = service.get("/quotas").await.json();
    assert_eq!(overview["backends"][0]["status"], "partial");
}

#[tokio::test(start_paused = true)]
async fn the_metrics_keep_the_names_that_dashboards_rely_on() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    // One call too many, and a caller who joins the read.
    let throttled = Fault::new(FaultKind::Throttle).operation("GetServiceQuota");
    aws.controls().inject(throttled.times(1));
    let_time_pass(Duration::from_millis(100)).await;
    service.get("/quotas/aws/us-east-1").await;
    let answer = service.get("/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text();
    for metric in METRICS {
        assert!(
            text.contains(&format!("# TYPE {metric}\n")),
            "{metric} is missing"
        );
    }
    for sample in [
        r#"quota_oracle_quota_limit{backend="aws",region="us-east-1",code="L-1216C47A",unit="vcpu",market="on_demand"} 5.0"#,
        r#"quota_oracle_quota_usage{backend="aws",region="us-east-1",code="L-1216C47A",unit="vcpu",market="on_demand"} 0.0"#,
        r#"quota_oracle_quota_available{backend="aws",region="us-east-1",code="L-1216C47A",unit="vcpu",market="on_demand"} 5.0"#,
        r#"quota_oracle_quota_info{backend="aws",region="us-east-1",code="L-417A185B",name="Running On-Demand P instances"} 1"#,
        r#"quota_oracle_regions{backend="aws",state="fresh"} 1"#,
        r#"quota_oracle_regions{backend="aws",state="failed"} 0"#,
        r#"quota_oracle_upstream_calls_total{backend="aws",region="us-east-1",operation="GetServiceQuota",outcome="ok"} 21"#,
        r#"quota_oracle_fetches_total{backend="aws",cause="preload",outcome="ok"} 1"#,
        r#"quota_oracle_http_requests_total{route="/quotas/{backend}/{region}",status="200"} 1"#,
    ] {
        assert!(text.contains(sample), "{sample} is missing");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_of_the_document_needs_nothing_from_elsewhere() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let page = service.get("/docs/").await;
    assert_eq!(page.status, 200);
    let html = page.text();
    let addresses: Vec<&str> = html
        .split(['"', '\''])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
        .collect();
    assert!(addresses.len() >= 3, "{html}");
    for address in addresses {
        let address = address.trim_start_matches("./");
        let asset = service.get(&format!("/docs/{address}")).await;
        assert_eq!(asset.status, 200, "{address}");
        assert!(!asset.bytes.is_empty(), "{address}");
    }
    let start = service.get("/docs/swagger-initializer.js").await;
    assert!(start.text().contains("/openapi.json"));
}

#[tokio::test(start_paused = true)]
async fn a_browser_gets_a_page_that_asks_routes_and_everybody_else_gets_their_list() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let root = async |accept: &str| {
        let request = service.request(Method::GET, "/");
        let answer = service.send(request.header("accept", accept)).await;
        let varies = answer.header("vary");
        assert!(varies.split(", ").any(|name| name == "accept"), "{varies}");
        answer
    };

    let page = root("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let html = page.text();
    assert!(html.contains("<title>quota-oracle</title>"), "{html}");
    let parts = html.split("=\"page/").skip(1);
    let parts: Vec<_> = parts.filter_map(|rest| rest.split('"').next()).collect();
    assert!(parts.len() >= 3, "{html}");
    for part in parts {
        assert_eq!(
            service.get(&format!("/page/{part}")).await.status,
            200,
            "{part}"
        );
    }

    for accept in ["*/*", "application/json"] {
        let index = root(accept).await;
        assert_eq!(
            (index.status, index.header("content-type")),
            (200, "application/json")
        );
        let expected = json!({
            "name": "quota-oracle",
            "version": env!("CARGO_PKG_VERSION"),
            "routes": [
                "/quotas", "/quotas/{backend}", "/quotas/{backend}/{region}", "/offers", "/offers/summary", "/plan",
                "/verify", "/leases", "/leases/{id}", "/leases/{id}/commit", "/leases/{id}/renew",
                "/feedback", "/feedback/unrecognised", "/feedback/{backend}",
                "/refresh/{backend}", "/refresh/{backend}/{region}", "/aws", "/aws/{backend}",
                "/healthz", "/readyz", "/metrics", "/events", "/session", "/openapi.json", "/docs",
                "/page/{file}", "/",
            ],
        });
        assert_eq!(index.json(), expected);
    }
}

async fn status(service: &Service) -> String {
    let overview = service.get("/quotas").await.json();
    let status = overview["backends"][0]["status"].as_str().unwrap();
    let offers = service
        .get("/offers?limit=1&instance_type=none")
        .await
        .json();
    assert_eq!(offers["backends"][0]["status"], status);
    status.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_backend_is_idle_then_reading_then_ok_then_stale_then_unavailable() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws)
        .set("backends.0.preload", false)
        .start()
        .await;
    assert_eq!(
        service.get("/readyz").await.status,
        200,
        "nothing is read at start"
    );
    assert_eq!(status(&service).await, "idle");
    let slow = Fault::slow(Duration::from_secs(1));
    aws.controls().inject(slow);
    let asks = service.get("/quotas/aws/us-east-1");
    let looks = async {
        let_time_pass(Duration::from_millis(200)).await;
        status(&service).await
    };
    let (answer, meanwhile) = tokio::join!(asks, looks);
    assert_eq!((answer.status, &*meanwhile), (200, "reading"));
    assert_eq!(status(&service).await, "ok");

    aws.controls().clear_faults();
    aws.controls().inject(Fault::new(FaultKind::Unavailable));
    let_time_pass(Duration::from_secs(11 * 60)).await;
    assert_eq!(status(&service).await, "stale");
    let table = service.get("/quotas/aws?format=table").await;
    assert!(
        table.text().starts_with("aws is stale\n"),
        "{}",
        table.text()
    );
    let regions = async |state: &str| {
        let labels = format!("backend=\"aws\",state=\"{state}\"");
        service.metric("regions", &labels).await
    };
    assert_eq!((regions("stale").await, regions("fresh").await), (1.0, 0.0));
    let_time_pass(Duration::from_secs(60 * 60)).await;
    assert_eq!(status(&service).await, "unavailable");
    assert_eq!(
        (regions("expired").await, regions("stale").await),
        (1.0, 0.0)
    );
}

#[tokio::test(start_paused = true)]
async fn the_service_is_not_ready_while_no_backend_has_answered() {
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    let service = Setup::new(&aws)
        .set("backends.0.regions", vec!["us-east-1", "eu-west-1"])
        .start()
        .await;
    service.ready().await;
    let answer = service.get("/readyz").await;
    assert_eq!(answer.status, 503);
    let body = answer.json();
    assert_eq!(body["status"], "unavailable");
    assert_eq!(
        (&body["waiting_count"], &body["failed_count"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(
        service
            .metric("regions", "backend=\"aws\",state=\"failed\"")
            .await,
        2.0
    );

    assert_eq!(
        body["failed"][0]["locations"],
        json!(["aws/eu-west-1", "aws/us-east-1"])
    );
    assert_eq!(body["failed"].as_array().unwrap().len(), 1, "{body}");

    // What all regions share is told without the name of one of them.
    let offers = service.get("/offers?limit=1").await.json();
    let failure = offers["backends"][0]["failure"].as_str().unwrap();
    assert!(failure.starts_with("denied: "), "{failure}");
    assert!(
        !failure.contains("us-east-1") && !failure.contains("eu-west-1"),
        "{failure}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_regions_share_is_told_once_where_readiness_is() {
    let aws = plain_aws().await;
    let denied = Fault::new(FaultKind::AccessDenied).region("eu-west-1");
    aws.controls().inject(denied);
    let regions = vec!["us-east-1", "eu-west-1", "me-central-1", "af-south-1"];
    let setup = Setup::new(&aws).set("backends.0.regions", regions);
    let service = setup.start().await;
    service.ready().await;
    let ready = service.get("/readyz").await.json();
    assert_eq!(
        (&ready["status"], &ready["failed_count"]),
        (&json!("ready"), &json!(3))
    );
    let failed = ready["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 2, "{ready}");
    let of = |location: &str| {
        let has = |group: &&serde_json::Value| {
            let mut locations = group["locations"].as_array().unwrap().iter();
            locations.any(|it| it == location)
        };
        failed.iter().find(has).unwrap()
    };
    assert_eq!(of("aws/eu-west-1")["locations"], json!(["aws/eu-west-1"]));
    let shared = of("aws/af-south-1");
    assert_eq!(
        shared["locations"],
        json!(["aws/af-south-1", "aws/me-central-1"])
    );
    let text = shared["failure"].as_str().unwrap();
    assert!(text.contains("enable <region> for the account"), "{text}");
}
