//! The service of a life, which restarts with what it has stored.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use quota_oracle::catalog::Catalog;
use quota_oracle::clock::Clock;
use quota_oracle::model::Lifetimes;
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::store::{Fingerprint, Fingerprints, LeaseJournal, SnapshotStore, StoredSnapshot};
use quota_oracle::telemetry::{Metrics, QuotaMetrics};

use super::super::cloud::{Cloud, World};
use super::STALE_FOR;

/// Snapshots in memory, and a journal on disk: a restart finds both.
#[derive(Clone, Debug)]
struct Store {
    snapshot: Arc<Mutex<Option<StoredSnapshot>>>,
    journal: Arc<LeaseJournal>,
}

impl SnapshotStore for Store {
    fn load(&self) -> Vec<StoredSnapshot> {
        self.snapshot.lock().unwrap().clone().into_iter().collect()
    }

    fn write(&self, snapshot: StoredSnapshot) {
        *self.snapshot.lock().unwrap() = Some(snapshot);
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }

    fn lease_journal(&self) -> Option<Arc<LeaseJournal>> {
        Some(Arc::clone(&self.journal))
    }
}

/// Starts a service over the simulated cloud.
pub(super) fn start(
    world: &Arc<Mutex<World>>,
    snapshot: &Arc<Mutex<Option<StoredSnapshot>>>,
    folder: &Path,
    clock: Clock,
    catalog: &Arc<Catalog>,
    usage_delay: Duration,
) -> Oracle {
    let fingerprints = Fingerprints::from([("sim".into(), Fingerprint::new("the same"))]);
    let store = Store {
        snapshot: Arc::clone(snapshot),
        journal: Arc::new(LeaseJournal::new(folder, fingerprints)),
    };
    let backend = Backend {
        name: "sim".into(),
        kind: "sim".into(),
        settings: BackendSettings {
            usage_delay: Some(usage_delay),
            ..BackendSettings::default()
        },
        source: Arc::new(Cloud {
            world: Arc::clone(world),
            clock,
        }),
    };
    let settings = OracleSettings {
        lifetimes: Lifetimes {
            fresh_for: Duration::from_secs(120),
            stale_for: STALE_FOR,
        },
        quota_metrics: QuotaMetrics::All,
        leases: LeaseSettings::default(),
        launch_quota: |_, _, _| None,
    };
    let catalog = Arc::clone(catalog);
    Oracle::new(
        [backend],
        catalog,
        Some(Arc::new(store)),
        None,
        settings,
        clock,
        Metrics::new(),
    )
}
