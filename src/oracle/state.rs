//! The oracle: all backends, their catalogs and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Catalog, Provider};
use crate::clock::Clock;
use crate::coordination::Coordination;
use crate::model::{BackendName, CloudKind};
use crate::store::{SnapshotStore, StoredSnapshot};
use crate::telemetry::Metrics;

use super::backend::{Backend, BackendState};
use super::events::Events;
use super::feedback::Unrecognised;
use super::leases::{LeaseBook, LeaseSettings};
use super::offers::{ExplainedVerdicts, SharedDemands, SharedLayouts};
use super::settings::OracleSettings;
use super::sharing::{KnownLaunches, Sharing};
use super::unit::UnitContext;

/// Everything that can be answered; clones share it.
#[derive(Clone, Debug)]
pub struct Oracle(pub(super) Arc<OracleState>);

#[derive(Debug)]
pub(super) struct OracleState {
    pub(super) backends: BTreeMap<BackendName, Arc<BackendState>>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) store: Option<Arc<dyn SnapshotStore>>,
    pub(super) settings: OracleSettings,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) demands: SharedDemands,
    pub(super) layouts: SharedLayouts,
    pub(super) explained: ExplainedVerdicts,
    pub(super) leases: Arc<LeaseBook>,
    pub(super) unrecognised: Unrecognised,
    pub(super) sharing: Option<Sharing>,
    pub(super) known_launches: KnownLaunches,
    pub(super) events: Events,
}

impl Oracle {
    /// An oracle over these backends, which begins with what the store has of them.
    ///
    /// # Panics
    ///
    /// When the catalog does not cover the kind of a backend.
    pub fn new(
        backends: impl IntoIterator<Item = Backend>,
        catalog: Arc<Catalog>,
        store: Option<Arc<dyn SnapshotStore>>,
        coordination: Option<Coordination>,
        settings: OracleSettings,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let sharing = coordination.map(Sharing::new);
        let journal = store.as_ref().and_then(|store| store.lease_journal());
        let leases = Arc::new(LeaseBook::new(
            settings.leases,
            clock,
            journal,
            sharing.clone(),
        ));
        let events = Events::default();
        let context = UnitContext {
            clock,
            lifetimes: settings.lifetimes,
            metrics: metrics.clone(),
            store: store.clone(),
            failures: Arc::default(),
            leases: Arc::clone(&leases),
            sharing: sharing.clone(),
            watcher: Arc::clone(&events.changed),
        };
        let backends: BTreeMap<_, _> = backends
            .into_iter()
            .map(|backend| {
                let state = BackendState::new(backend, &context);
                (state.backend.name.clone(), Arc::new(state))
            })
            .collect();
        for state in backends.values() {
            let kind = &state.backend.kind;
            let is_covered = catalog.provider(kind.as_str()).is_some();
            assert!(is_covered, "the catalog was made without {kind}");
        }
        let stored = store.as_ref().map(|store| store.load()).unwrap_or_default();
        for snapshot in stored {
            restore(&backends, snapshot);
        }
        leases.restore();
        Self(Arc::new(OracleState {
            backends,
            catalog,
            store,
            settings,
            clock,
            metrics,
            demands: SharedDemands::default(),
            layouts: SharedLayouts::default(),
            explained: ExplainedVerdicts::default(),
            leases,
            unrecognised: Unrecognised::default(),
            sharing,
            known_launches: KnownLaunches::default(),
            events,
        }))
    }

    /// The names of all backends.
    pub fn backend_names(&self) -> Vec<BackendName> {
        self.0.backends.keys().cloned().collect()
    }

    /// Whether there is such a backend.
    pub fn has_backend(&self, name: &str) -> bool {
        self.0.backends.contains_key(name)
    }

    /// The bounds of leases.
    pub fn lease_settings(&self) -> LeaseSettings {
        self.0.settings.leases
    }

    /// The metrics that the answers count into.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The catalogs of all clouds, as they stand.
    pub fn catalogs(&self) -> Vec<(CloudKind, Arc<Provider>)> {
        let providers = self.0.catalog.providers();
        providers
            .map(|(kind, provider)| (kind.clone(), provider))
            .collect()
    }

    /// Looks at the source of the catalogs again.
    pub async fn reload_catalog(&self) {
        self.0.catalog.reload().await;
    }

    /// Waits until no read is under way, so that what replicas wait for is not lost.
    pub async fn finish_reads(&self) {
        if self.0.sharing.is_none() {
            return;
        }
        let units = self.0.backends.values();
        for unit in units.flat_map(|backend| backend.units()) {
            unit.flights.ended().await;
        }
    }

    /// Waits until every answer so far is in the store, if there is one.
    pub async fn flush(&self) {
        if let Some(store) = &self.0.store {
            store.flush().await;
        }
    }
}

/// Takes up what an earlier process knew of a unit, if there still is such a unit.
fn restore(backends: &BTreeMap<BackendName, Arc<BackendState>>, snapshot: StoredSnapshot) {
    let backend = backends.get(&snapshot.key.backend);
    if let Some(unit) = backend.and_then(|backend| backend.unit(&snapshot.key.unit)) {
        unit.restore(snapshot);
    }
}
