//! The service over an AWS account that has just been read, called as a function.

// Each bench that includes this module uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use futures_util::future::BoxFuture;
use quota_oracle::catalog::{Catalog, Source};
use quota_oracle::clock::Clock;
use quota_oracle::clouds::{CloudSettings, Connection, RegionChoice, aws};
use quota_oracle::http::{self, Settings};
use quota_oracle::model::{
    Amount, Lifetimes, Limit, LimitSource, Quota, QuotaKey, QuotaMarket, Reading, Region, Scope,
    Snapshot, Unit, UnitId, UnitKey, Usage,
};
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::store::{Fingerprint, Fingerprints, LeaseJournal, SnapshotStore, StoredSnapshot};
use quota_oracle::telemetry::{Metrics, QuotaMetrics};
use quota_oracle::upstream::{RateLimit, Shared, Upstream};
use tempfile::TempDir;
use tower::ServiceExt;

pub(super) const REGION: &str = "us-east-1";
/// A region has as many rows as AWS is asked for.
const ROWS: usize = 21;
const P: &str = "L-417A185B";

/// An AWS account whose regions have just been read.
pub(super) struct Account {
    pub(super) catalog: Catalog,
    pub(super) regions: Vec<Region>,
    /// The rows of each region.
    pub(super) rows: Vec<Quota>,
    pub(super) journal: Option<Arc<LeaseJournal>>,
}

/// The service over one region, with a journal of leases in the folder.
pub(super) async fn serving(folder: &TempDir) -> http::Service {
    let code = |place| match place {
        0 => P.to_owned(),
        _ => format!("L-{place:08}"),
    };
    let rows = (0..ROWS).map(|place| row(&code(place), 1_000_000_000));
    let fingerprints = Fingerprints::from([("aws".into(), Fingerprint::new("the same"))]);
    let account = Account {
        catalog: Catalog::new(Source::Bundled, ["aws".into()]),
        regions: vec![REGION.into()],
        rows: rows.collect(),
        journal: Some(Arc::new(LeaseJournal::new(folder.path(), fingerprints))),
    };
    account.serving().await
}

impl Account {
    /// The service over the account.
    pub(super) async fn serving(self) -> http::Service {
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
            regions: RegionChoice::Listed(self.regions.clone()),
            upstream: Upstream::new("aws".into(), rate_limit, shared),
            base: ".".into(),
            variables: BTreeMap::new(),
            secret_variables: BTreeMap::new(),
        };
        let source = settings.connect(connection).await;
        let backend = Backend {
            name: "aws".into(),
            kind: "aws".into(),
            settings: BackendSettings::default(),
            source: source.expect("nothing is called yet that could fail"),
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
        let snapshots = self.regions.iter().map(|region| StoredSnapshot {
            key: UnitKey {
                backend: "aws".into(),
                unit: UnitId::new(region.as_str()),
            },
            reading: Arc::new(Reading {
                regions: BTreeMap::from([(
                    region.clone(),
                    Arc::new(Snapshot::new(self.rows.clone())),
                )]),
                ..Reading::default()
            }),
            taken_at: clock.now().wall,
        });
        let store: Arc<dyn SnapshotStore> = Arc::new(Store {
            snapshots: snapshots.collect(),
            journal: self.journal,
        });
        let catalog = Arc::new(self.catalog);
        let store = Some(store);
        let oracle = Oracle::new(
            [backend],
            catalog,
            store,
            None,
            settings_of_all,
            clock,
            metrics,
        );
        http::service(oracle, &Settings::default(), None)
    }
}

/// A store of what was just read, and of leases.
#[derive(Debug)]
struct Store {
    snapshots: Vec<StoredSnapshot>,
    journal: Option<Arc<LeaseJournal>>,
}

impl SnapshotStore for Store {
    fn load(&self) -> Vec<StoredSnapshot> {
        self.snapshots.clone()
    }

    fn write(&self, _: StoredSnapshot) {}

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn lease_journal(&self) -> Option<Arc<LeaseJournal>> {
        self.journal.clone()
    }
}

/// A row of which 96 are in use.
pub(super) fn row(code: &str, limit: u32) -> Quota {
    Quota {
        key: QuotaKey::new("ec2", code),
        name: "Running On-Demand P instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::Any,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(limit)),
        limit_source: LimitSource::Applied,
        usage: Usage::Known {
            amount: Amount::from(96u32),
            as_of: None,
            range: None,
        },
        adjustable: Some(true),
        default: Some(Amount::ZERO),
        increase_url: Some("https://console.aws.amazon.com/servicequotas/home".into()),
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    }
}

pub(super) async fn answered(
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
