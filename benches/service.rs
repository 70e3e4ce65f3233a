//! The time that whole answers of `/offers` and `/plan` take, from the request to the bytes, on the bundled catalog
//! and on one ten times as large.

mod account;
mod catalog;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, header};
use criterion::{Criterion, criterion_group, criterion_main};
use quota_oracle::catalog::Table;
use quota_oracle::http;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use account::{Account, row};

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

const QUERIES: [(&str, &str); 6] = [
    ("eight H100", "/offers?gpu=H100&min_gpu_count=8"),
    ("first page", "/offers"),
    (
        "what is available",
        "/offers?availability=available&count=2",
    ),
    ("everything", "/offers?limit=0"),
    ("plan of 32 GPUs", "/plan?gpus=32&max_per_node=8"),
    ("summary", "/offers/summary"),
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
        let account = Account {
            catalog,
            regions,
            rows: CODES.iter().map(|code| row(code, 384)).collect(),
            journal: None,
        };
        let service = runtime.block_on(account.serving());
        for (name, path) in QUERIES {
            let matching = runtime.block_on(total(&service, path));
            println!("{size}: {matching} answers to `{name}`");
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

/// Returns the number of offers or plans on all pages, or of cells of the summary.
async fn total(service: &http::Service, path: &str) -> u64 {
    let request = Request::get(path)
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request");
    let body = body(service, request).await;
    let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let cells = answer["cells"].as_array().map(|cells| cells.len() as u64);
    answer["total"].as_u64().or(cells).expect("a number")
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
