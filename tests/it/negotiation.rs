//! Negotiation by headers: the form of an answer, and that of a body.

use std::io::Write;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Service, Setup, plain_aws};

async fn service() -> Service {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    service
}

const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[tokio::test(start_paused = true)]
async fn metrics_are_told_in_the_format_that_the_scraper_prefers() {
    let service = service().await;
    for (accept, format) in [
        ("*/*", PLAIN),
        ("text/plain", PLAIN),
        ("application/openmetrics-text;q=0,text/plain", PLAIN),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.3", PLAIN),
        (
            "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
            PLAIN,
        ),
        ("application/json", PLAIN),
        ("application/openmetrics-text", OPEN_METRICS),
        ("APPLICATION/OPENMETRICS-TEXT; Version=1.0.0", OPEN_METRICS),
        // Prometheus 3.
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            OPEN_METRICS,
        ),
    ] {
        let request = service
            .request(Method::GET, "/metrics")
            .header("accept", accept);
        let answer = service.send(request).await;
        assert_eq!(answer.header("content-type"), format, "{accept}");
        let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
        let varies = vary
            .iter()
            .any(|value| value.to_str().unwrap().eq_ignore_ascii_case("accept"));
        assert!(varies, "{vary:?}");
        assert_eq!(answer.text().ends_with("# EOF\n"), format == OPEN_METRICS);
    }
}

#[tokio::test(start_paused = true)]
async fn every_sample_in_plain_text_has_a_type_and_help() {
    let service = service().await;
    let answer = service.get("/metrics").await;
    let text = answer.text();
    let calls = "# TYPE quota_oracle_upstream_calls_total counter\n";
    assert!(text.contains(calls), "{text}");
    let described = |word: &str| -> Vec<&str> {
        let lines = text.lines();
        let lines = lines.filter_map(|line| line.strip_prefix(word)?.split_once(' '));
        lines.map(|(name, _)| name).collect()
    };
    let (types, helps) = (described("# TYPE "), described("# HELP "));
    assert_eq!(types, helps);
    for sample in text.lines().filter(|line| !line.starts_with('#')) {
        let name = sample.split(['{', ' ']).next().unwrap();
        let of_histogram = ["_bucket", "_sum", "_count"].iter();
        let mut names = of_histogram.filter_map(|ending| name.strip_suffix(ending));
        assert!(
            types.contains(&name) || names.any(|name| types.contains(&name)),
            "{sample}"
        );
    }
    assert!(!text.contains("# UNIT") && !text.contains("# EOF"));
    // The other format describes families by the names without an ending.
    let request = service.request(Method::GET, "/metrics");
    let request = request.header("accept", "application/openmetrics-text");
    let text = service.send(request).await.text().to_owned();
    assert!(text.contains("# TYPE quota_oracle_upstream_calls counter\n"));
}

#[tokio::test(start_paused = true)]
async fn a_table_is_for_who_prefers_text() {
    let service = service().await;
    for path in ["/quotas/aws/us-east-1", "/offers?limit=1", "/quotas/aws"] {
        for (accept, is_table) in [
            ("text/plain", true),
            ("Text/Plain;q=0.5, application/json;q=0.4", true),
            ("application/json;q=0, text/*", true),
            ("text/plain;q=0.1, application/json", false),
            ("text/plain;q=0", false),
            ("*/*", false),
        ] {
            let request = service.request(Method::GET, path).header("accept", accept);
            let answer = service.send(request).await;
            let is_text = answer.header("content-type").starts_with("text/plain");
            assert_eq!(is_text, is_table, "{path} {accept}");
        }
    }
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

const OFFER: &str =
    r#"{"offers":[{"backend":"aws","region":"us-east-1","instance_type":"p4d.24xlarge"}]}"#;

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_form_of_a_body_is_said() {
    let service = service().await;
    let post = |media_type: &'static str, coding: Option<&'static str>, body: Vec<u8>| {
        let request = service.request(Method::POST, "/offers");
        let request = request.header("content-type", media_type).body(body);
        match coding {
            Some(coding) => request.header("content-encoding", coding),
            None => request,
        }
    };
    for coding in ["gzip", "GZIP", "br", "identity, zstd"] {
        let request = post("application/json", Some(coding), gzipped(OFFER));
        let answer = service.send(request).await;
        let problem = answer.problem(415, "unsupported-coding");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(coding), "{detail}");
        assert_eq!(answer.header("accept-encoding"), "identity");
    }
    for charset in ["utf-16", "ISO-8859-1"] {
        let media_type = format!("application/json; charset={charset}").leak();
        let answer = service.send(post(media_type, None, OFFER.into())).await;
        let problem = answer.problem(415, "unsupported-media-type");
        let detail = problem["detail"].as_str().unwrap().to_lowercase();
        assert!(detail.contains(&charset.to_lowercase()), "{detail}");
        assert_eq!(answer.header("accept-encoding"), "");
    }
    let marked = format!("\u{feff}{OFFER}");
    for (media_type, coding, body) in [
        ("application/json", None, marked),
        ("application/json; charset=UTF-8", None, OFFER.to_owned()),
        (
            "application/json; charset=\"utf-8\"",
            Some("identity"),
            OFFER.to_owned(),
        ),
    ] {
        let answer = service.send(post(media_type, coding, body.into())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_number_may_be_written_with_a_decimal_point() {
    let service = service().await;
    let body = |cpus: &str, gpus: &str, count: &str| {
        format!(
            r#"{{"count":{count},"offers":[{{"backend":"aws","region":"us-east-1",
            "instance_type":"p5.48xlarge","cpus":{cpus},"gpu":{{"name":"H100","count":{gpus}}}}}]}}"#
        )
    };
    let post = async |body: String| {
        let request = service.request(Method::POST, "/offers");
        let request = request.header("content-type", "application/json");
        service.send(request.body(body)).await
    };
    let plain = post(body("192", "8", "1")).await;
    assert_eq!(plain.status, 200, "{}", plain.text());
    for (cpus, gpus, count) in [("192.0", "8.0", "1.0"), ("1.92e2", "8", "1e0")] {
        let answer = post(body(cpus, gpus, count)).await;
        assert_eq!(answer.text(), plain.text(), "{cpus}");
    }
    for (cpus, gpus, count, field) in [
        ("192.5", "8", "1", "offers[0].cpus"),
        ("0.0", "8", "1", "offers[0].cpus"),
        ("192", "-8.0", "1", "offers[0].gpu.count"),
        ("192", "8", "1.5", "count"),
    ] {
        let problem = post(body(cpus, gpus, count))
            .await
            .problem(400, "bad-request");
        assert_eq!(problem["field"], field, "{problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_aws_client_at_a_wrong_path_is_shown_the_way() {
    let aws = plain_aws().await;
    for setup in [
        Setup::new(&aws),
        Setup::new(&aws).token("a-token", &["read"]),
    ] {
        let service = setup.start().await;
        for path in [
            "",
            "/",
            "//aws/aws",
            "/oracle/aws/aws",
            "/quotas",
            "/quotas/aws/us-east-1",
            "/offers",
            "/v1/aws",
        ] {
            let request = service
                .request(Method::POST, path)
                .header("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota")
                .header("content-type", "application/x-amz-json-1.1")
                .body(json!({"ServiceCode": "ec2"}).to_string());
            let answer = service.send(request).await;
            assert_eq!(answer.status, 400, "{path}");
            let body = answer.json();
            assert_eq!(body["__type"], "UnknownOperationException", "{path}");
            let message = body["message"].as_str().unwrap();
            assert!(message.contains("/aws/<backend>"), "{message}");
        }
        // Others are told as ever.
        let answer = service.post("/nowhere").await;
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test(start_paused = true)]
async fn an_aws_client_is_told_what_is_wrong_with_its_body() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("aws_protocol.verify", false);
    let service = setup.start().await;
    service.ready().await;
    let parameters = r#"{"ServiceCode":"ec2","QuotaCode":"L-417A185B"}"#;
    let post = |body: Vec<u8>| {
        let signature = "0".repeat(64);
        service
            .request(Method::POST, "/aws/aws")
            .header("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIAANY/20261127/us-east-1/servicequotas/\
                     aws4_request, SignedHeaders=host, Signature={signature}"
                ),
            )
            .body(body)
    };
    let marked = service
        .send(post(format!("\u{feff}{parameters}").into()))
        .await;
    assert_eq!(marked.status, 200, "{}", marked.text());
    let request = post(gzipped(parameters)).header("content-encoding", "gzip");
    let compressed = service.send(request).await;
    assert_eq!(compressed.status, 415);
    let body = compressed.json();
    assert_eq!(body["__type"], "SerializationException");
    assert!(body["message"].as_str().unwrap().contains("gzip"), "{body}");
}
