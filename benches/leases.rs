//! Server time of a verification whose rows are young, and of a lease taken and released beside
//! ten thousand that live.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::future::BoxFuture;
use quota_oracle::catalog::{Catalog, Source};
use quota_oracle::clock::Clock;
use quota_oracle::clouds::{CloudSettings, Connection, RegionChoice, aws};
use quota_oracle::http::{self, Settings};
use quota_oracle::model::{
    Amount, Lifetimes, Limit, LimitSource, Quota, QuotaKey, QuotaMarket, Reading, Scope, Snapshot,
    Unit, UnitKey, Usage,
};
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::store::{Fingerprint, Fingerprints, LeaseJournal, SnapshotStore, StoredSnapshot};
use quota_oracle::telemetry::{Metrics, QuotaMetrics};
use quota_oracle::upstream::{RateLimit, Shared, Upstream};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const REGION: &str = "us-east-1";
const LIVE: usize = 10_000;
/// A region has as many rows as AWS is asked for.
const ROWS: usize = 21;
const P: &str = "L-417A185B";

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

/// The service over an AWS account whose region has just been read, with a journal of leases.
async fn serving(folder: &TempDir) -> http::Service {
    let (metrics, clock) = (Metrics::new(), Clock::system());
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
    let shared = Shared::new(Clock::system(), metrics.clone());
    let connection = Connection {
        backend: "aws".into(),
        regions: RegionChoice::Listed(vec![REGION.into()]),
        upstream: Upstream::new("aws".into(), rate_limit, shared),
        base: ".".into(),
        variables: BTreeMap::new(),
    };
    let source = settings.connect(connection).await;
    let backend = Backend {
        name: "aws".into(),
        kind: "aws".into(),
        settings: BackendSettings::default(),
        source: source.expect("nothing is called yet that could fail"),
    };
    let rows = (0..ROWS).map(row).collect();
    let reading = Reading {
        regions: BTreeMap::from([(REGION.into(), Arc::new(Snapshot::new(rows)))]),
        ..Reading::default()
    };
    let snapshot = StoredSnapshot {
        key: UnitKey {
            backend: "aws".into(),
            unit: REGION.into(),
        },
        reading: Arc::new(reading),
        taken_at: clock.now().wall,
    };
    let fingerprints = Fingerprints::from([("aws".into(), Fingerprint::new("the same"))]);
    let store = Store {
        snapshot,
        journal: Arc::new(LeaseJournal::new(folder.path(), fingerprints)),
    };
    // Rows stay young while they are measured.
    let settings_of_all = OracleSettings {
        lifetimes: Lifetimes {
            fresh_for: Duration::from_secs(86_400),
            stale_for: Duration::from_secs(86_400),
        },
        quota_metrics: QuotaMetrics::All,
        leases: LeaseSettings::default(),
        launch_quota: |_, _, _| None,
    };
    let catalog = Arc::new(Catalog::new(Source::Bundled, ["aws".into()]));
    let store = Some(Arc::new(store) as Arc<dyn SnapshotStore>);
    let oracle = Oracle::new([backend], catalog, store, settings_of_all, clock, metrics);
    http::service(oracle, &Settings::default(), None)
}

/// A store of what was just read, and of leases.
#[derive(Debug)]
struct Store {
    snapshot: StoredSnapshot,
    journal: Arc<LeaseJournal>,
}

impl SnapshotStore for Store {
    fn load(&self) -> Vec<StoredSnapshot> {
        vec![self.snapshot.clone()]
    }

    fn write(&self, _: StoredSnapshot) {}

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn lease_journal(&self) -> Option<Arc<LeaseJournal>> {
        Some(Arc::clone(&self.journal))
    }
}

fn row(place: usize) -> Quota {
    let code = match place {
        0 => P.to_owned(),
        _ => format!("L-{place:08}"),
    };
    Quota {
        key: QuotaKey::new("ec2", code),
        name: "Running On-Demand P instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::Any,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(1_000_000_000u32)),
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

async fn answered(
    service: &http::Service,
    method: Method,
    path: &str,
    body: &str,
) -> (StatusCode, Bytes) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let response = service.clone().oneshot(request).await;
    let response = response.expect("the service always answers");
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await;
    (status, body.expect("the body is in memory"))
}
