//! How long whole answers of `/offers` take, from the request to the bytes, on the bundled catalog
//! and on one ten times as large.

mod catalog;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, header};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::future::BoxFuture;
use quota_oracle::catalog::Table;
use quota_oracle::clock::Clock;
use quota_oracle::clouds::{CloudSettings, Connection, RegionChoice, aws};
use quota_oracle::http::{self, Settings};
use quota_oracle::model::{
    Amount, Lifetimes, Limit, LimitSource, Quota, QuotaKey, QuotaMarket, Reading, Region, Scope,
    Snapshot, Unit, UnitId, UnitKey, Usage,
};
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::store::{SnapshotStore, StoredSnapshot};
use quota_oracle::telemetry::Metrics;
use quota_oracle::telemetry::QuotaMetrics;
use quota_oracle::upstream::{RateLimit, Shared, Upstream};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// P, G and Standard, on-demand and spot: what most of the catalog draws on.
const CODES: [&str; 7] = [
    "L-417A185B",
    "L-C4BD4855",
    "L-7212CCBC",
    "L-DB2E81BA",
    "L-3819A6DF",
    "L-1216C47A",
    "L-34B43A08",
];

const QUERIES: [(&str, &str); 4] = [
    ("eight H100", "/offers?gpu=H100&min_gpu_count=8"),
    ("first page", "/offers"),
    (
        "what is available",
        "/offers?availability=available&count=2",
    ),
    ("everything", "/offers?limit=0"),
];

fn service(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    for (size, copies) in [("bundled", 1), ("tenfold", 10)] {
        let catalog = catalog::enlarged(copies);
        let provider = catalog.provider("aws").expect("it was asked for");
        let table = &provider.release.table;
        let regions = table.regions().to_vec();
        let lists = [
            ("1,000 offers", list(table, 1000, 1, None)),
            ("1,000 offers, two of each", list(table, 1000, 2, None)),
            ("1,000 offers with disks", list(table, 1000, 1, Some(100))),
        ];
        let service = runtime.block_on(serving(catalog, &regions));
        for (name, path) in QUERIES {
            let matching = runtime.block_on(total(&service, path));
            println!("{size}: {matching} offers match `{name}`");
            criterion.bench_function(&format!("GET/{size}/{name}"), |bencher| {
                bencher.to_async(&runtime).iter(|| get(&service, path));
            });
        }
        for (name, list) in &lists {
            criterion.bench_function(&format!("POST/{size}/{name}"), |bencher| {
                bencher.to_async(&runtime).iter(|| post(&service, list));
            });
        }
    }
}

criterion_group!(benches, service);
criterion_main!(benches);

/// The service over an AWS account whose regions have just been read.
async fn serving(catalog: quota_oracle::catalog::Catalog, regions: &[Region]) -> http::Service {
    let (metrics, clock) = (Metrics::new(), Clock::system());
    let mut snapshots = Vec::new();
    for region in regions {
        let key = UnitKey {
            backend: "aws".into(),
            unit: UnitId::new(region.as_str()),
        };
        let snapshot = Arc::new(Snapshot::new(CODES.iter().map(|code| row(code)).collect()));
        let reading = Reading {
            regions: BTreeMap::from([(region.clone(), snapshot)]),
            ..Reading::default()
        };
        snapshots.push(StoredSnapshot {
            key,
            reading: Arc::new(reading),
            taken_at: clock.now().wall,
        });
    }
    let most = NonZeroU32::new(4).expect("four is not zero");
    let rate_limit = RateLimit {
        per_second: 4.0,
        burst: most,
        concurrency: most,
    };
    let settings = aws::Settings {
        credentials: aws::Credentials::Static(aws::StaticKeys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: Some("none".into()),
            ..aws::StaticKeys::default()
        }),
        ..aws::Settings::default()
    };
    let connection = Connection {
        backend: "aws".into(),
        regions: RegionChoice::Listed(regions.to_vec()),
        upstream: Upstream::new(
            "aws".into(),
            rate_limit,
            Shared::new(Clock::system(), metrics.clone()),
        ),
        base: ".".into(),
        variables: BTreeMap::new(),
    };
    let source = settings
        .connect(connection)
        .await
        .expect("nothing is called yet that could fail");
    let backend = Backend {
        name: "aws".into(),
        kind: "aws".into(),
        settings: BackendSettings::default(),
        source,
    };
    // Nothing grows old while it is measured.
    let settings_of_all = OracleSettings {
        lifetimes: Lifetimes {
            fresh_for: Duration::from_secs(86_400),
            stale_for: Duration::from_secs(86_400),
        },
        quota_metrics: QuotaMetrics::All,
        leases: LeaseSettings::default(),
        launch_quota: |_, _, _| None,
    };
    let oracle = Oracle::new(
        [backend],
        Arc::new(catalog),
        Some(Arc::new(Snapshots(snapshots))),
        settings_of_all,
        clock,
        metrics,
    );
    http::service(oracle, &Settings::default(), None)
}

/// A store of what was just read, which keeps nothing else.
#[derive(Debug)]
struct Snapshots(Vec<StoredSnapshot>);

impl SnapshotStore for Snapshots {
    fn load(&self) -> Vec<StoredSnapshot> {
        self.0.clone()
    }

    fn write(&self, _: StoredSnapshot) {}

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn row(code: &str) -> Quota {
    Quota {
        key: QuotaKey::new("ec2", code),
        name: "Running On-Demand P instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::Any,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(384u32)),
        limit_source: LimitSource::Applied,
        usage: Usage::Known {
            amount: Amount::from(96u32),
            as_of: None,
            range: None,
        },
        adjustable: Some(true),
        default: Some(Amount::ZERO),
        increase_url: Some("https://console.aws.amazon.com/servicequotas/home".into()),
        native: None,
        observed_at: None,
        state: Default::default(),
    }
}

/// A list of offers as a caller sends it, spread over the catalog.
fn list(table: &Table, length: usize, count: u32, disk_gb: Option<u32>) -> String {
    let step = table.len() / length;
    let offers: Vec<serde_json::Value> = (0..length)
        .map(|place| {
            let offer = table.offer((place * step) as u32);
            serde_json::json!({
                "backend": "aws",
                "region": offer.region.as_str(),
                "instance_type": &*offer.shape.instance_type,
                "spot": place % 2 == 1,
                "cpus": offer.shape.cpus,
                "disk_gb": disk_gb,
            })
        })
        .collect();
    serde_json::json!({ "count": count, "offers": offers }).to_string()
}

async fn get(service: &http::Service, path: &str) -> usize {
    let request = Request::get(path)
        .header("host", "localhost")
        .body(Body::empty());
    answered(service, request.expect("a request")).await
}

/// How many offers there are, on all pages.
async fn total(service: &http::Service, path: &str) -> u64 {
    let request = Request::get(path)
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request");
    let body = body(service, request).await;
    let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    answer["total"].as_u64().expect("a number")
}

async fn post(service: &http::Service, list: &str) -> usize {
    let request = Request::post("/offers")
        .header("host", "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(list.to_owned()));
    answered(service, request.expect("a request")).await
}

async fn answered(service: &http::Service, request: Request<Body>) -> usize {
    body(service, request).await.len()
}

async fn body(service: &http::Service, request: Request<Body>) -> Bytes {
    let response = service
        .clone()
        .oneshot(request)
        .await
        .expect("the service always answers");
    assert!(response.status().is_success());
    let body = to_bytes(response.into_body(), usize::MAX).await;
    body.expect("the body is in memory")
}
