//! Server time of a verification whose rows are young, and of a lease taken and released beside
//! ten thousand that live.

mod account;

use axum::http::{Method, StatusCode};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use account::{REGION, answered, serving};

const LIVE: usize = 10_000;

fn leases(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let service = runtime.block_on(serving(&folder));
    let offer = json!({"backend": "aws", "region": REGION, "instance_type": "p5.48xlarge"});
    let verification = json!({"offer": offer, "max_age": "1h"}).to_string();
    let wish = json!({"offer": offer, "ttl": "1h"}).to_string();
    let verify = || async {
        let answer = answered(&service, Method::POST, "/verify", &verification).await;
        assert_eq!(answer.0, StatusCode::OK);
        answer.1.len()
    };
    let take_and_release = || async {
        let (status, body) = answered(&service, Method::POST, "/leases", &wish).await;
        assert_eq!(status, StatusCode::CREATED);
        let lease: Value = serde_json::from_slice(&body).expect("JSON");
        let path = format!("/leases/{}", lease["id"].as_str().expect("an identity"));
        let released = answered(&service, Method::DELETE, &path, "").await;
        assert_eq!(released.0, StatusCode::NO_CONTENT);
    };
    criterion.bench_function("verify/young, no leases", |bencher| {
        bencher.to_async(&runtime).iter(verify);
    });
    criterion.bench_function("lease and release/no leases", |bencher| {
        bencher.to_async(&runtime).iter(take_and_release);
    });
    runtime.block_on(async {
        for _ in 0..LIVE {
            let taken = answered(&service, Method::POST, "/leases", &wish).await;
            assert_eq!(taken.0, StatusCode::CREATED);
        }
    });
    criterion.bench_function("verify/young, 10,000 leases", |bencher| {
        bencher.to_async(&runtime).iter(verify);
    });
    criterion.bench_function("lease and release/10,000 leases", |bencher| {
        bencher.to_async(&runtime).iter(take_and_release);
    });
}

criterion_group!(benches, leases);
criterion_main!(benches);
