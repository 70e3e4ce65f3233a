//! The metrics of everything that the oracle knows, as one text.

use strum::VariantArray;

use crate::telemetry::{CatalogSample, QuotaMetrics, RegionsSample, SnapshotSample};

use super::backend_status::{BackendStatus, RegionState};
use super::offers::judged_catalog;
use super::quotas::views;
use super::state::Oracle;

impl Oracle {
    /// Returns the Prometheus text of all metrics.
    pub fn metrics_text(&self) -> String {
        let oracle = &*self.0;
        let now = oracle.clock.now();
        // Before the series, so that what has ended by the clock is in none of them.
        let with_quotas = oracle.settings.quota_metrics != QuotaMetrics::Off;
        oracle
            .metrics
            .set_leases(oracle.leases.samples(with_quotas));
        if let Some(store) = self.shared_store() {
            let is_up = store.away.is_none();
            let metrics = &oracle.metrics;
            metrics.set_shared_store(is_up, store.replicas, store.round_trips);
        }
        let backends = oracle.backends.values();
        let series: Vec<_> = backends
            .clone()
            .map(|backend| {
                let accelerators = || judged_catalog(oracle, backend).0.accelerator_quotas();
                // Looked at before the entries, so that a change in between is seen next time.
                let changes = backend.changes();
                let choice = oracle.settings.quota_metrics;
                let views = || views(backend);
                backend
                    .series
                    .series(choice, accelerators, changes, views, now)
            })
            .collect();
        let snapshots = backends.flat_map(|backend| views(backend));
        let snapshots = snapshots.filter_map(|view| {
            Some(SnapshotSample {
                age: view.age()?.age,
                location: view.location(),
            })
        });
        let regions = self.backends().into_iter().flat_map(regions);
        let series = series.iter().map(|series| &**series);
        oracle
            .metrics
            .render(series, snapshots, regions, self.catalog_samples())
    }

    /// The numbers of all catalogs.
    fn catalog_samples(&self) -> Vec<CatalogSample> {
        let catalogs = self.catalogs().into_iter();
        catalogs
            .map(|(provider, catalog)| CatalogSample {
                provider,
                offers: catalog.release.table.len(),
                damaged_rows: catalog.release.damaged_rows,
                loaded_at: catalog.release.loaded_at,
                failing: catalog.last_error.is_some(),
            })
            .collect()
    }
}

/// Returns how many regions of a backend are in each state, none included, so that an alert sees a
/// state end.
fn regions(backend: BackendStatus) -> impl Iterator<Item = RegionsSample> {
    RegionState::VARIANTS
        .iter()
        .map(move |state| RegionsSample {
            backend: backend.name.clone(),
            state: state.as_str(),
            count: backend.states.iter().filter(|one| *one == state).count(),
        })
}
