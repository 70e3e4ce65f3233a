//! The wiring: from a configuration to a running service, and its orderly end.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::clouds::{self, Connection};
use crate::config::{self, Config};
use crate::coordination::{Coordination, RedisStore};
use crate::http;
use crate::model::{BackendName, CloudKind, Failure};
use crate::oracle::{Backend, Oracle, OracleSettings, supervise};
use crate::source::QuotaSource;
use crate::store::{DirectoryStore, Fingerprints, SnapshotStore};
use crate::telemetry::Metrics;
use crate::upstream::{Shared, Upstream};

/// A service that is wired and not yet serving.
#[derive(Debug)]
pub struct App {
    oracle: Oracle,
    service: http::Service,
    ending: http::Ending,
    reload_catalog_every: Duration,
}

/// Why a backend could not even be prepared: something that an operator has to mend.
#[derive(Debug, thiserror::Error)]
#[error("backend `{backend}`: {failure}")]
pub struct StartError {
    backend: BackendName,
    failure: Failure,
}

impl App {
    /// Wires the service; no cloud is called yet.
    pub async fn new(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let metrics = Metrics::new();
        let coordination = config.sharing.as_ref().map(|sharing| {
            let store = RedisStore::new(
                sharing.access.clone(),
                sharing.prefix.clone(),
                accounts(config),
                clock,
            );
            Coordination {
                status: store.status(),
                store,
                max_replicas: sharing.max_replicas,
            }
        });
        Self::sharing_by(config, clock, metrics, coordination).await
    }

    /// Wires one of several replicas, which share what they know by this.
    pub async fn replica(
        config: &Config,
        clock: Clock,
        coordination: Coordination,
    ) -> Result<Self, StartError> {
        Self::sharing_by(config, clock, Metrics::new(), Some(coordination)).await
    }

    async fn sharing_by(
        config: &Config,
        clock: Clock,
        metrics: Metrics,
        coordination: Option<Coordination>,
    ) -> Result<Self, StartError> {
        let mut shared = Shared::new(clock, metrics.clone());
        if let Some(coordination) = &coordination {
            shared = shared.among_replicas(coordination);
        }
        let mut backends = Vec::new();
        for backend in &config.backends {
            backends.push(Backend {
                name: backend.name.clone(),
                kind: CloudKind::from(backend.kind.kind),
                settings: backend.settings.clone(),
                source: connect(config, backend, &shared).await?,
            });
        }
        let directory = config.cache.directory.as_ref();
        let store = directory.map(|directory| -> Arc<dyn SnapshotStore> {
            Arc::new(DirectoryStore::open(directory, fingerprints(config)))
        });
        let kinds = backends.iter().map(|backend| backend.kind.clone());
        let catalog = Catalog::new(config.catalog.source.clone(), kinds);
        let oracle = Oracle::new(
            backends,
            Arc::new(catalog),
            store,
            coordination,
            OracleSettings {
                lifetimes: config.cache.lifetimes(),
                quota_metrics: config.telemetry.quota_metrics,
                leases: config.leases,
                launch_quota: clouds::launch_quota,
            },
            clock,
            metrics,
        );
        Ok(Self {
            service: http::service(oracle.clone(), &config.server, aws_protocol(config, clock)),
            oracle,
            ending: http::Ending {
                drain: config.server.drain,
                timeout: config.server.shutdown_timeout,
            },
            reload_catalog_every: config.catalog.reload_every,
        })
    }

    /// The service as a function of a request, for callers that bring their own server.
    pub fn service(&self) -> http::Service {
        self.service.clone()
    }

    /// Starts what runs in the background; it ends when the set is dropped.
    pub fn start_background(&self) -> JoinSet<()> {
        let mut tasks = self.oracle.keep_fresh();
        let (oracle, every) = (self.oracle.clone(), self.reload_catalog_every);
        tasks.spawn(async move {
            supervise("loading the catalog", || reload(&oracle, every)).await;
        });
        tasks
    }

    /// Serves until `stop`, then finishes what is under way and puts everything on disk.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let background = self.start_background();
        let stop = async move {
            stop.await;
            tracing::info!("stopping");
        };
        let result = http::serve(listener, self.service, self.ending, stop).await;
        // Other replicas may be waiting for what is being read here.
        if timeout(self.ending.timeout, self.oracle.finish_reads())
            .await
            .is_err()
        {
            tracing::warn!("some reads were not finished in time; other replicas begin them anew");
        }
        drop(background);
        if timeout(self.ending.timeout, self.oracle.flush())
            .await
            .is_err()
        {
            tracing::warn!("some snapshots were not written in time");
        }
        tracing::info!("stopped");
        result
    }
}

async fn reload(oracle: &Oracle, every: Duration) {
    loop {
        oracle.reload_catalog().await;
        tokio::time::sleep(every).await;
    }
}

/// Returns the digest of the account of each backend.
fn accounts(config: &Config) -> BTreeMap<BackendName, String> {
    let backends = config.backends.iter();
    let account = |backend: &config::Backend| backend.fingerprint.account().to_owned();
    backends
        .map(|backend| (backend.name.clone(), account(backend)))
        .collect()
}

fn fingerprints(config: &Config) -> Fingerprints {
    let backends = config.backends.iter();
    backends
        .map(|backend| (backend.name.clone(), backend.fingerprint.clone()))
        .collect()
}

/// Returns the settings of the AWS protocol, if it is switched on.
fn aws_protocol(config: &Config, clock: Clock) -> Option<http::AwsProtocol> {
    let settings = config.aws_protocol.clone()?;
    Some(http::AwsProtocol {
        settings,
        backends: config
            .backends
            .iter()
            .filter_map(|backend| Some((backend.name.clone(), backend.cloud.native_answers()?)))
            .collect(),
        clock,
    })
}

/// Makes one backend ready to be read.
pub async fn connect(
    config: &Config,
    backend: &config::Backend,
    shared: &Shared,
) -> Result<Arc<dyn QuotaSource>, StartError> {
    let connection = Connection {
        backend: backend.name.clone(),
        regions: backend.regions.clone(),
        upstream: Upstream::new(backend.name.clone(), backend.rate_limit, shared.clone()),
        base: config.base.clone(),
        variables: backend.variables.clone(),
        secret_variables: backend.secret_variables.clone(),
    };
    backend
        .cloud
        .connect(connection)
        .await
        .map_err(|failure| StartError {
            backend: backend.name.clone(),
            failure,
        })
}
