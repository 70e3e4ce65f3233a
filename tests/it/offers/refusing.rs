//! Bad requests are refused, with the place of the mistake.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::service::{Named, Service, simulated};

async fn service() -> Service {
    let (aws, account) = simulated(&[]).await;
    Service::new(
        &aws.url(),
        &account,
        &[Named::new("aws", &["us-east-1"])],
        Vec::new(),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_query_that_makes_no_sense_is_refused() {
    let service = service().await;
    for (query, field, detail) in [
        (
            "gpus=H100",
            "gpus",
            "there is no query parameter `gpus`; did you mean `gpu`?",
        ),
        (
            "min_gpu_count=many",
            "min_gpu_count",
            "`min_gpu_count` is a whole number from 0 to 4294967295, not `many`",
        ),
        (
            "min_cpus=-1",
            "min_cpus",
            "`min_cpus` is a whole number from 0 to 4294967295, not `-1`",
        ),
        (
            "max_price=NaN",
            "max_price",
            "`max_price` is a number of at least 0, not `NaN`",
        ),
        (
            "min_memory_gb=-0.5",
            "min_memory_gb",
            "`min_memory_gb` is a number of at least 0, not `-0.5`",
        ),
        (
            "count=0",
            "count",
            "`count` is a whole number from 1 to 10000, not `0`",
        ),
        (
            "count=10001",
            "count",
            "`count` is a whole number from 1 to 10000, not `10001`",
        ),
        (
            "count=1&count=2",
            "count",
            "`count` is given more than once",
        ),
        ("spot=yes", "spot", "`spot` is `true` or `false`, not `yes`"),
        (
            "sort=prize",
            "sort",
            "`sort` is `price` or `launchable`, not `prize`; did you mean `price`?",
        ),
        (
            "availability=idle",
            "availability",
            "`availability` is `available`, `unknown`, `no_quota` or `not_available`, not `idle`",
        ),
        (
            "limit=-5",
            "limit",
            "`limit` is a whole number from 0 to 4294967295, not `-5`",
        ),
        ("region=", "region", "`region` is empty"),
        (
            "cursor=nonsense",
            "cursor",
            "`cursor` is not one that an answer in this order has given",
        ),
        (
            "format=xml",
            "format",
            "`format` is `json` or `table`, not `xml`",
        ),
    ] {
        let (status, problem) = service.try_get(&format!("/offers?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(
            (&problem["field"], &problem["detail"]),
            (&json!(field), &json!(detail))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_order_is_refused() {
    let service = service().await;
    let page = service.get("/offers?limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let (status, _) = service
        .try_get(&format!("/offers?limit=1&sort=launchable&cursor={cursor}"))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_makes_no_sense_is_refused_with_path_and_position() {
    let service = service().await;
    let good = r#"{"backend": "aws", "region": "us-east-1", "instance_type": "m5.large"}"#;
    let with = |extra: &str| good.replace('}', &format!(", {extra}}}"));
    for (body, field, detail) in [
        (
            format!(
                "{{\"offers\": [{good},\n {{\"backend\": \"aws\", \"instance_type\": \"m5.large\"}}]}}"
            ),
            "offers[1].region",
            "missing field `region` at line 2 column 48",
        ),
        (
            format!("{{\"offers\": [{}]}}", with("\"cpu\": 8")),
            "offers[0].cpu",
            "unknown field `cpu`, expected one of `backend`, `region`, `instance_type`, `spot`, `cpus`, `memory_gb`, `gpu`, `disk_gb`, `public_ip` at line 1 column 88",
        ),
        (
            format!("{{\"offers\": [{}]}}", with("\"disk_gb\": -1")),
            "offers[0].disk_gb",
            "-1 is not an amount of at least 0 at line 1 column 97",
        ),
        (
            format!("{{\"offers\": [{}]}}", with("\"cpus\": \"many\"")),
            "offers[0].cpus",
            "invalid type: string \"many\", expected a whole number from 1 to 4294967295 at line 1 column 97",
        ),
        (
            format!("{{\"offers\": [{}]}}", with("\"cpus\": 0")),
            "offers[0].cpus",
            "invalid value: integer `0`, expected a whole number from 1 to 4294967295 at line 1 column 92",
        ),
        (
            format!(
                "{{\"offers\": [{}]}}",
                with("\"gpu\": {\"name\": \"H100\", \"count\": 0}")
            ),
            "offers[0].gpu.count",
            "invalid value: integer `0`, expected a whole number from 1 to 4294967295 at line 1 column 117",
        ),
        (
            format!(
                "{{\"offers\": [{}]}}",
                with("\"gpu\": {\"name\": \"H100\"}")
            ),
            "offers[0].gpu.count",
            "missing field `count` at line 1 column 106",
        ),
        (
            format!("{{\"count\": 0, \"offers\": [{good}]}}"),
            "count",
            "`count` is from 1 to 10000, not 0 at line 1 column 11",
        ),
        (
            format!("{{\"offers\": [{good}], \"offers\": []}}"),
            "offers",
            "duplicate field `offers` at line 1 column 93",
        ),
        (
            format!("{{\"offers\": [{}]}}", with("\"region\": \"us-east-1\"")),
            "offers[0].region",
            "duplicate field `region` at line 1 column 91",
        ),
        (
            format!("{{\"count\": 10001, \"offers\": [{good}]}}"),
            "count",
            "`count` is from 1 to 10000, not 10001 at line 1 column 15",
        ),
        (
            "{\"offers\": [[\"aws\", \"us-east-1\", \"m5.large\"]]}".to_owned(),
            "offers[0]",
            "invalid type: sequence, expected an object at line 1 column 12",
        ),
        (
            format!("{{\"offers\": [{}]}}", with("\"gpu\": [\"H100\", 8]")),
            "offers[0].gpu",
            "invalid type: sequence, expected an object at line 1 column 90",
        ),
        (
            "{\"count\": 1}".to_owned(),
            "offers",
            "missing field `offers` at line 1 column 12",
        ),
        (
            format!("{{\"offers\": [{}]}}", vec![good; 10_001].join(",")),
            "offers",
            "there are more than 10000 offers at line 1 column 710083",
        ),
    ] {
        let (status, problem) = service.try_post(&body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{detail}");
        assert_eq!(
            (&problem["field"], &problem["detail"]),
            (&json!(field), &json!(detail))
        );
    }
    for body in ["", "{", "[]", "[1, []]", "{\"offers\": []} x"] {
        let (status, problem) = service.try_post(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {problem}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_offers_are_judged() {
    let service = service().await;
    let offer = json!({"backend": "aws", "region": "us-east-1", "instance_type": "m5.large"});
    let answer = service
        .post(json!({"count": 10_000, "offers": vec![offer; 10_000]}))
        .await;
    assert_eq!(answer["verdicts"].as_array().unwrap().len(), 10_000);
    assert_eq!(
        service.post(json!({"offers": []})).await["verdicts"],
        json!([])
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_or_no_json_is_refused() {
    let service = service().await;
    let send = async |media_type: Option<&str>, body: String| {
        let mut request = Request::post("/offers");
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        let request = request.body(Body::from(body)).unwrap();
        let (status, body) = service.send(request).await;
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap()["type"].clone(),
        )
    };
    let offers = || "{\"offers\": []}".to_owned();
    let (large, unsupported) = (
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    );
    let json = Some("application/json");
    assert_eq!(
        send(json, " ".repeat(5 << 20)).await,
        (large, json!("urn:quota-oracle:problem:body-too-large"))
    );
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let (status, kind) = send(media_type, offers()).await;
        assert_eq!(
            (status, kind),
            (
                unsupported,
                json!("urn:quota-oracle:problem:unsupported-media-type")
            )
        );
    }
    let (status, _) = send(Some("Application/JSON; charset=utf-8"), offers()).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nothing_has_is_told_beside_what_may_have_been_meant() {
    let service = service().await;
    let answer = service
        .get("/offers?region=us-esat-1&gpu=H1OO&instance_type=p5.48xlarge&backend=awz&backend=aws")
        .await;
    assert_eq!(answer["total"], 0);
    assert_eq!(
        answer["unknown_names"],
        json!([
            {"parameter": "backend", "name": "awz", "did_you_mean": "aws"},
            {"parameter": "region", "name": "us-esat-1", "did_you_mean": "us-east-1"},
            {"parameter": "gpu", "name": "H1OO", "did_you_mean": null},
        ])
    );
    let answer = service
        .get("/offers?region=us-east-1&region=moon&limit=1")
        .await;
    assert!(answer["total"].as_u64().unwrap() > 100);
    assert_eq!(answer["unknown_names"][0]["name"], "moon");
    let answer = service.get("/offers?region=us-east-1&limit=1").await;
    assert!(answer.get("unknown_names").is_none());
    // The catalog has it, and this backend does not read it.
    let answer = service.get("/offers?region=af-south-1").await;
    assert_eq!(answer["total"], 0);
    assert_eq!(answer["unknown_names"][0]["name"], "af-south-1");

    let request = Request::get("/offers?gpu_vendor=nvdia&format=table");
    let (_, text) = service.send(request.body(Body::empty()).unwrap()).await;
    let expected = "no gpu_vendor is called `nvdia`; did you mean `nvidia`?\nno matching offers\n";
    assert!(text.ends_with(expected), "{text}");
}
