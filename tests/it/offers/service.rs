//! A service over a simulated AWS, asked in process.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use quota_oracle::catalog::{Catalog, Source};
use quota_oracle::clock::Clock;
use quota_oracle::clouds::{CloudSettings, Connection, RegionChoice, aws};
use quota_oracle::http::{self, Settings, Token};
use quota_oracle::model::{Lifetimes, Region, Strictness};
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::telemetry::Metrics;
use quota_oracle::telemetry::QuotaMetrics;
use quota_oracle::upstream::{RateLimit, Shared, Upstream};
use serde_json::Value;
use simulated_clouds::aws::{Account, RateLimits, Settings as Simulated, SimulatedAws};
use tower::ServiceExt;

/// A backend of the simulated account.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) regions: &'static [&'static str],
    pub(super) strictness: Strictness,
    pub(super) shadow: bool,
}

impl Named {
    pub(super) const fn new(name: &'static str, regions: &'static [&'static str]) -> Self {
        Self {
            name,
            regions,
            strictness: Strictness::Headroom,
            shadow: false,
        }
    }
}

/// The service, and the account that it reads.
pub(super) struct Service {
    pub(super) oracle: Oracle,
    function: http::Service,
}

/// An AWS with nothing but these quotas beside the defaults: region, code, limit, usage.
pub(super) async fn simulated(quotas: &[(&str, &str, f64, f64)]) -> (SimulatedAws, Account) {
    let mut settings = Simulated {
        rate_limits: RateLimits::unlimited(),
        ..Simulated::plain()
    };
    let account = &mut settings.accounts[0];
    let seeds =
        quotas.iter().map(
            |&(region, code, limit, usage)| simulated_clouds::aws::QuotaSeed {
                region: region.to_owned(),
                code: code.to_owned(),
                limit,
                usage,
            },
        );
    account.quotas.extend(seeds);
    let account = account.clone();
    (SimulatedAws::start(settings).await.unwrap(), account)
}

/// The bundled catalog, which all tests share, as reading it is slow in a test build.
pub(super) fn catalog() -> Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    let catalog = CATALOG.get_or_init(|| {
        let catalog = Catalog::new(Source::Bundled, ["aws".into()]);
        Arc::new(catalog)
    });
    Arc::clone(catalog)
}

impl Service {
    /// The service over these backends of the account at `url`; nothing is read yet.
    pub(super) async fn new(
        url: &str,
        account: &Account,
        named: &[Named],
        tokens: Vec<Token>,
    ) -> Self {
        let metrics = Metrics::new();
        let mut backends = Vec::new();
        for named in named {
            let source = settings(url, account)
                .connect(connection(named, &metrics))
                .await
                .unwrap();
            backends.push(Backend {
                name: named.name.into(),
                kind: "aws".into(),
                settings: BackendSettings {
                    strictness: named.strictness,
                    shadow: named.shadow,
                    ..BackendSettings::default()
                },
                source,
            });
        }
        let settings_of_all = OracleSettings {
            lifetimes: Lifetimes {
                fresh_for: Duration::from_secs(300),
                stale_for: Duration::from_secs(3600),
            },
            quota_metrics: QuotaMetrics::All,
            leases: LeaseSettings::default(),
            launch_quota: |_, _, _| None,
        };
        let clock = Clock::starting_at("2026-11-21T19:00:00Z".parse().unwrap());
        let oracle = Oracle::new(
            backends,
            catalog(),
            None,
            None,
            settings_of_all,
            clock,
            metrics,
        );
        let settings = Settings {
            tokens,
            ..Settings::default()
        };
        Self {
            function: http::service(oracle.clone(), &settings, None),
            oracle,
        }
    }

    /// Reads all that the backends have, once.
    pub(super) async fn read(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        for backend in self.oracle.backend_names() {
            self.oracle
                .refresh(backend.as_str(), None, deadline)
                .await
                .unwrap();
        }
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> (StatusCode, String) {
        let host = header::HeaderValue::from_static("localhost");
        request.headers_mut().insert(header::HOST, host);
        let response = self.function.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The answer to `GET`, which must be one.
    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(super) async fn try_get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (status, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The answer to `POST /offers`, which must be one.
    pub(super) async fn post(&self, body: Value) -> Value {
        let (status, body) = self.try_post(&body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    pub(super) async fn try_post(&self, body: &str) -> (StatusCode, Value) {
        let request = Request::post("/offers")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let (status, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

fn settings(url: &str, account: &Account) -> aws::Settings {
    aws::Settings {
        credentials: aws::Credentials::Static(aws::StaticKeys {
            access_key_id: account.access_key_id.clone(),
            secret_access_key: Some(account.secret_access_key.as_str().into()),
            ..aws::StaticKeys::default()
        }),
        endpoint_url: Some(url.to_owned().try_into().unwrap()),
        ..aws::Settings::default()
    }
}

fn connection(named: &Named, metrics: &Metrics) -> Connection {
    let most = NonZeroU32::new(100).unwrap();
    let rate_limit = RateLimit {
        per_second: 100.0,
        burst: most,
        concurrency: most,
    };
    let regions = named.regions.iter().map(|name| Region::from(*name));
    Connection {
        backend: named.name.into(),
        regions: RegionChoice::Listed(regions.collect()),
        upstream: Upstream::new(
            named.name.into(),
            rate_limit,
            Shared::new(Clock::system(), metrics.clone()),
        ),
        base: ".".into(),
        variables: Default::default(),
        secret_variables: Default::default(),
    }
}
