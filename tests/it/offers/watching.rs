//! A backend that only watches: its offers are said to be as if it were switched off, and what
//! would have been said is shown, counted and logged.

use axum::body::Body;
use axum::http::Request;
use quota_oracle::model::Strictness;
use serde_json::{Value, json};
use simulated_clouds::aws::{Fault, FaultKind, RateLimits, Settings, SimulatedAws};
use strum::VariantArray;

use crate::harness::{Process, Setup};

use super::service::{Named, Service, simulated};

const REGIONS: &[&str] = &["us-east-1", "us-west-2"];

/// Enough that some GPU offers fit, some exceed what is left, and some a limit; others are zero,
/// and us-west-2 is not read.
const QUOTAS: [(&str, &str, f64, f64); 3] = [
    ("us-east-1", "L-417A185B", 384.0, 300.0),
    ("us-east-1", "L-DB2E81BA", 64.0, 8.0),
    ("us-east-1", "L-3819A6DF", 96.0, 96.0),
];

const fn named(name: &'static str, strictness: Strictness, shadow: bool) -> Named {
    Named {
        strictness,
        shadow,
        ..Named::new(name, REGIONS)
    }
}

async fn service(named: &[Named]) -> Service {
    let (aws, account) = simulated(&QUOTAS).await;
    let denied = Fault::new(FaultKind::AccessDenied).region("us-west-2");
    aws.controls().inject(denied);
    let service = Service::new(&aws.url(), &account, named, Vec::new()).await;
    service.read().await;
    service
}

/// The availability of all GPU offers of a backend, and what it would have been.
async fn said(service: &Service, backend: &str) -> Vec<(Value, Value)> {
    let path = format!("/offers?backend={backend}&gpu_vendor=nvidia&limit=0");
    let answer = service.get(&path).await;
    let offers = answer["offers"].as_array().unwrap();
    let said = offers.iter().map(|offer| {
        let shadow = &offer["quota"]["shadow_availability"];
        (offer["availability"].clone(), shadow.clone())
    });
    said.collect()
}

#[tokio::test(start_paused = true)]
async fn it_says_what_off_says_and_shows_what_its_strictness_would() {
    let off = named("off", Strictness::Off, false);
    for (strictness, differ) in Strictness::VARIANTS
        .iter()
        .copied()
        .zip([false, true, true, true])
    {
        let backends = [
            off,
            named("judges", strictness, false),
            named("watches", strictness, true),
        ];
        let service = service(&backends).await;
        let as_off = said(&service, "off").await;
        let judges = said(&service, "judges").await;
        let watches = said(&service, "watches").await;
        let expected: Vec<_> = as_off
            .iter()
            .zip(&judges)
            .map(|((as_off, _), (judges, _))| (as_off.clone(), judges.clone()))
            .collect();
        assert_eq!(watches, expected, "{strictness:?}");
        assert!(judges.iter().all(|(_, shadow)| shadow.is_null()));
        let first = |said: &Vec<(Value, Value)>| -> Vec<Value> {
            said.iter()
                .map(|(availability, _)| availability.clone())
                .collect()
        };
        assert_eq!(first(&judges) != first(&as_off), differ, "{strictness:?}");
        for word in ["available", "unknown"] {
            assert!(as_off.iter().any(|(availability, _)| availability == word));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_it_does_not_have_is_watched_too() {
    let watches = named("watches", Strictness::Headroom, true);
    let judges = named("judges", Strictness::Headroom, false);
    let service = service(&[watches, judges]).await;
    let offers = ["watches", "judges"].map(
        |backend| json!({"backend": backend, "region": "mars-1", "instance_type": "p5.48xlarge"}),
    );
    let answer = service.post(json!({"offers": offers})).await;
    let [watched, judged] = [0, 1].map(|place| &answer["verdicts"][place]);
    assert_eq!(watched["availability"], "unknown");
    assert_eq!(watched["quota"]["shadow_availability"], "unknown");
    assert_eq!(judged["quota"].get("shadow_availability"), None);

    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let (_, metrics) = service.send(request).await;
    for counted in [
        r#"{backend="watches",verdict="unknown",shadow="unknown"} 1"#,
        r#"{backend="judges",verdict="unknown",shadow="off"} 1"#,
    ] {
        assert!(metrics.contains(counted), "{metrics}");
    }
    assert!(!metrics.contains(r#"{backend="watches",verdict="unknown",shadow="off"}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_would_have_said_stands_in_the_log() {
    let settings = Settings {
        rate_limits: RateLimits::unlimited(),
        ..Settings::plain()
    };
    let aws = SimulatedAws::start(settings).await.unwrap();
    let rate_limit: toml::Table = "per_second = 100\nburst = 100\nconcurrency = 100"
        .parse()
        .unwrap();
    let file = Setup::new(&aws)
        .set("backends.0.rate_limit", rate_limit)
        .set("backends.0.shadow", true)
        .write();
    let (mut process, url) = Process::serve(&file.path, &[]).await;
    // The first question about a region waits for its read.
    for path in [
        "/quotas/aws/us-east-1",
        "/offers?gpu=H100&spot=false&limit=0",
    ] {
        let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let line = process.line("shadow verdicts").await;
    let line: Value = serde_json::from_str(&line).unwrap();
    // A new account has no vCPU for any of them.
    let said = ["available", "unknown", "no_quota", "not_available"].map(|word| &line[word]);
    assert_eq!(line["backend"], "aws");
    assert_eq!(said, [&json!(0), &json!(0), &json!(2), &json!(0)]);
}
