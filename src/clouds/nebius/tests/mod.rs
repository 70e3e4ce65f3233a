//! Stories of reading Nebius, told against the simulated one over real sockets.

mod access;
mod capacity;
mod demand;
mod failures;
mod rows;
mod verdicts;
mod wanted;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use simulated_clouds::nebius::{
    Account, Controls, Platform, Project, QuotaRow, RateLimit, Settings, SimulatedNebius,
};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::clouds::cloud::{Connection, RegionChoice};
use crate::clouds::nebius::REGISTRATION;
use crate::model::{Amount, BackendName, Failure, Limit, Quota, Reading, UnitId};
use crate::source::QuotaSource;
use crate::source::{CallContext, Priority, Urgency, Wanted};
use crate::telemetry::Metrics;
use crate::upstream::{Shared, Upstream};

const TENANT: &str = "tenant-e00t";
const PROJECT: &str = "project-e00north";
const H100: &str = "compute.instance.gpu.h100";
const H200: &str = "compute.instance.gpu.h200";

/// A simulated Nebius and a backend that reads it.
struct Story {
    cloud: SimulatedNebius,
    source: Arc<dyn QuotaSource>,
    directory: tempfile::TempDir,
}

impl Story {
    /// An account with these rows, read with the service account's key.
    async fn of(rows: Vec<QuotaRow>) -> Self {
        let mut account = account();
        account.quotas = rows;
        Self::with(account, "", RegionChoice::Default).await
    }

    /// An account, read with these further settings.
    async fn with(account: Account, settings: &str, regions: RegionChoice) -> Self {
        let credentials = r#"credentials = { source = "service_account", file = "nebius.json" }"#;
        Self::signed_by(account, &format!("{credentials}\n{settings}"), regions).await
    }

    /// An account, read with these settings, credentials included.
    async fn signed_by(account: Account, settings: &str, regions: RegionChoice) -> Self {
        let cloud = SimulatedNebius::start(Settings {
            account,
            rate_limit: RateLimit {
                per_second: 1000.0,
                burst: 1000,
            },
            ..Settings::default()
        })
        .await
        .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("nebius.json");
        std::fs::write(file, cloud.credentials_file()).unwrap();
        let token = directory.path().join("token");
        std::fs::write(token, cloud.controls().issue_token()).unwrap();
        let source = connect(&cloud, directory.path(), settings, regions)
            .await
            .unwrap();
        Self {
            cloud,
            source,
            directory,
        }
    }

    fn controls(&self) -> Controls {
        self.cloud.controls()
    }

    /// Reads the tenant as the service would, within a minute.
    async fn read(&self) -> Result<Reading, Failure> {
        self.read_wanted(Wanted::All).await
    }

    async fn read_wanted(&self, wanted: Wanted) -> Result<Reading, Failure> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let context = CallContext {
            urgency: Urgency::new(Priority::Request),
            deadline: deadline.into_std(),
        };
        let unit = UnitId::from("tenant");
        self.source.fetch(&unit, &wanted, &context).await
    }

    /// The rows of one quota in eu-north1, one for each layer.
    async fn rows(&self, code: &str) -> Vec<Quota> {
        let reading = self.read().await.unwrap();
        rows(&reading, "eu-north1", code)
    }
}

async fn connect(
    cloud: &SimulatedNebius,
    base: &Path,
    settings: &str,
    regions: RegionChoice,
) -> Result<Arc<dyn QuotaSource>, Failure> {
    let url = cloud.url();
    let endpoints = ["quotas", "tokens", "iam", "compute", "capacity"]
        .map(|service| format!("{service} = \"{url}\""))
        .join(", ");
    let metadata = cloud.metadata_url();
    let settings = format!("{settings}\nendpoints = {{ {endpoints}, metadata = \"{metadata}\" }}");
    let settings = (REGISTRATION.parse)(settings.parse().unwrap()).unwrap();
    let backend = BackendName::from("nebius");
    let connection = Connection {
        backend: backend.clone(),
        regions,
        upstream: Upstream::new(
            backend,
            REGISTRATION.rate_limit,
            Shared::new(Clock::system(), Metrics::new()),
        ),
        base: base.to_owned(),
        variables: Default::default(),
        secret_variables: Default::default(),
    };
    settings.connect(connection).await
}

/// One tenant with one project, in eu-north1.
fn account() -> Account {
    Account {
        tenants: vec![TENANT.to_owned()],
        projects: vec![project(PROJECT, "default-project", "eu-north1")],
        platforms: vec![Platform {
            name: "gpu-h100-sxm".to_owned(),
            region: "eu-north1".to_owned(),
            gpu_quota: H100.to_owned(),
            spot: true,
            presets: vec![(1, 16, 200), (8, 128, 1600)],
        }],
        ..Account::default()
    }
}

fn project(id: &str, name: &str, region: &str) -> Project {
    Project {
        id: id.to_owned(),
        tenant: TENANT.to_owned(),
        name: name.to_owned(),
        region: region.to_owned(),
    }
}

fn tenant_row(name: &str, limit: impl Into<Option<u64>>) -> QuotaRow {
    QuotaRow::new(TENANT, name, "eu-north1", limit)
}

fn project_row(name: &str, limit: impl Into<Option<u64>>) -> QuotaRow {
    QuotaRow::new(PROJECT, name, "eu-north1", limit)
}

fn rows(reading: &Reading, region: &str, code: &str) -> Vec<Quota> {
    let quotas = reading.regions.get(region).map(|s| s.quotas().to_vec());
    let quotas = quotas.unwrap_or_default().into_iter();
    quotas.filter(|quota| &*quota.key.code == code).collect()
}

fn limits(rows: &[Quota]) -> Vec<Option<f64>> {
    let limits = rows.iter().map(|row| row.limit.known());
    limits
        .map(|limit| limit.map(|amount| amount.get()))
        .collect()
}

fn layer(quota: &Quota) -> &str {
    &quota.container.as_ref().unwrap().kind
}

fn usage(quota: &Quota) -> Option<f64> {
    quota.usage.known().map(Amount::get)
}

fn is_unknown(quota: &Quota) -> bool {
    quota.limit == Limit::Unknown
}
