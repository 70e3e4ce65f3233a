//! The service of a life, which restarts with what it has stored.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use quota_oracle::clock::Clock;
use quota_oracle::model::Lifetimes;
use quota_oracle::oracle::{Backend, BackendSettings, LeaseSettings, Oracle, OracleSettings};
use quota_oracle::store::{Fingerprint, Fingerprints, LeaseJournal, SnapshotStore, StoredSnapshot};
use quota_oracle::telemetry::{Metrics, QuotaMetrics};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::super::cloud::Cloud;
use super::{STALE_FOR, Setting};

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

/// One replica of the service, which restarts with what it has stored.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) oracle: Oracle,
    clock: Clock,
    snapshot: Arc<Mutex<Option<StoredSnapshot>>>,
    folder: TempDir,
    _tasks: JoinSet<()>,
}

impl Replica {
    /// Starts one at this time of its machine's day.
    pub(super) fn start(setting: &Setting, wall: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_with(setting, wall, Arc::default(), folder)
    }

    /// Another process takes over.
    pub(super) fn restart(self, setting: &Setting) -> Self {
        let wall = self.clock.now().wall;
        let Self {
            snapshot, folder, ..
        } = self;
        Self::start_with(setting, wall, snapshot, folder)
    }

    fn start_with(
        setting: &Setting,
        wall: Timestamp,
        snapshot: Arc<Mutex<Option<StoredSnapshot>>>,
        folder: TempDir,
    ) -> Self {
        let clock = Clock::starting_at(wall);
        let fingerprints = Fingerprints::from([("sim".into(), Fingerprint::new("the same"))]);
        let store = Store {
            snapshot: Arc::clone(&snapshot),
            journal: Arc::new(LeaseJournal::new(folder.path(), fingerprints)),
        };
        let backend = Backend {
            name: "sim".into(),
            kind: "sim".into(),
            settings: BackendSettings {
                usage_delay: Some(setting.usage_delay),
                ..BackendSettings::default()
            },
            source: Arc::new(Cloud {
                world: Arc::clone(&setting.world),
                clock,
            }),
        };
        let settings = OracleSettings {
            lifetimes: Lifetimes {
                fresh_for: Duration::from_secs(120),
                stale_for: STALE_FOR,
            },
            quota_metrics: QuotaMetrics::All,
            leases: LeaseSettings {
                store_away: setting.store_away,
                ..LeaseSettings::default()
            },
            launch_quota: |_, _, _| None,
        };
        let oracle = Oracle::new(
            [backend],
            Arc::clone(&setting.catalog),
            Some(Arc::new(store)),
            setting.shared.as_ref().map(|shared| shared.join(clock)),
            settings,
            clock,
            Metrics::new(),
        );
        let tasks = match setting.shared {
            Some(_) => oracle.keep_fresh(),
            // Its reads are those of the life's events only.
            None => JoinSet::new(),
        };
        Self {
            oracle,
            clock,
            snapshot,
            folder,
            _tasks: tasks,
        }
    }

    /// The leases that it knows.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let leases = self.oracle.leases(|_| true);
        leases.iter().map(|lease| lease.id.to_string()).collect()
    }
}
