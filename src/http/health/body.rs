//! Health and readiness as they are sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::quotas::body::time;
use crate::http::vocabulary::{CatalogOrigin, HealthStatus, ReadinessStatus};
use crate::model::{BackendName, Failure};
use crate::oracle::{Provider, RegionStatus, SharedStoreStatus};

/// Whether the process is alive.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Health {
    /// `ok`.
    #[schema(value_type = HealthStatus)]
    pub(super) status: &'static str,
    /// The version of the service.
    #[schema(example = "0.1.0")]
    pub(super) version: &'static str,
}

/// Whether the first answers are there.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ReadinessBody {
    /// `ready`, `waiting` while reads of the start are under way, `unavailable` when all of them
    /// have failed, or `stopping`.
    #[schema(value_type = ReadinessStatus)]
    pub(super) status: &'static str,
    /// Number of regions that are read at start and were neither read nor refused yet.
    #[schema(example = 0)]
    pub(super) waiting_count: usize,
    /// Number of regions that could not be read.
    #[schema(example = 0)]
    pub(super) failed_count: usize,
    /// The regions that are waited for, as far as the caller may see their backend.
    pub(super) waiting_for: Vec<String>,
    /// The regions that could not be read, and why, as far as the caller may see their backend. They
    /// keep the service from being ready only if no other has answered.
    pub(super) failed: Vec<FailedRegions>,
    /// The catalogs that offers come from, of the clouds whose backends the caller sees. One that
    /// cannot be loaded keeps what it had, and does not keep the service from being ready.
    pub(super) catalogs: Vec<CatalogBody>,
    /// The store that replicas share; absent where none is configured. While it is away, the
    /// service is ready all the same, and answers from memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shared_store: Option<SharedStoreBody>,
}

/// The store that replicas share, as this one sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = SharedStore)]
pub(in crate::http) struct SharedStoreBody {
    /// Whether it answers.
    up: bool,
    /// How many replicas share it, as it last said.
    #[schema(example = 3)]
    replicas: usize,
    /// Since when it is away; absent while it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    away_since: Option<String>,
    /// Why; absent while it answers. In full only for callers with a token, where tokens are
    /// configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "a command was not answered within 1 s")]
    reason: Option<String>,
}

impl SharedStoreBody {
    pub(super) fn of(status: &SharedStoreStatus, tells_all: bool) -> Self {
        let away = status.away.as_ref();
        Self {
            up: away.is_none(),
            replicas: status.replicas as usize,
            away_since: away.map(|(since, _)| time(since.wall)),
            reason: away.map(|(_, reason)| match tells_all {
                true => reason.clone(),
                false => "the store does not answer".to_owned(),
            }),
        }
    }
}

/// A cloud's catalog, as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Catalog)]
pub(in crate::http) struct CatalogBody {
    /// Which cloud.
    #[schema(example = "aws")]
    pub(super) provider: String,
    /// Number of offers.
    #[schema(example = 40674)]
    pub(super) offers: usize,
    /// Number of damaged rows, which were left out.
    #[schema(example = 0)]
    pub(super) damaged_rows: usize,
    #[serde(flatten)]
    pub(super) release: ReleaseBody,
}

/// Which release of a catalog is served.
#[derive(Serialize, ToSchema)]
#[schema(as = CatalogEdition)]
pub(in crate::http) struct ReleaseBody {
    /// Where it comes from: `bundled`, `directory` or `published`.
    #[schema(value_type = CatalogOrigin)]
    origin: &'static str,
    /// The source's version of it, where there is one.
    #[schema(example = "0.1.0")]
    version: Option<String>,
    /// When it was loaded.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    loaded_at: String,
    /// The error of the last reload; absent when it succeeded. In full only for callers with a
    /// token, where tokens are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the source could not be read")]
    last_error: Option<String>,
}

/// Regions of a backend that could not be read, all for the same reason.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FailedRegions {
    /// Backend and region of each.
    #[schema(example = json!(["aws/us-east-1", "aws/eu-west-1"]))]
    locations: Vec<String>,
    /// The failure; `<region>` stands for the names of several.
    #[schema(example = "denied: GetServiceQuota was refused")]
    failure: String,
}

impl ReleaseBody {
    pub(in crate::http) fn of(provider: &Provider) -> Self {
        let release = &provider.release;
        Self {
            origin: release.origin.as_str(),
            version: release.version.as_ref().map(ToString::to_string),
            loaded_at: time(release.loaded_at),
            last_error: provider.last_error.as_ref().map(ToString::to_string),
        }
    }
}

impl FailedRegions {
    /// Groups regions by backend and failure, so that a failure which many share is told once.
    pub(super) fn of<'a>(regions: impl Iterator<Item = &'a RegionStatus>) -> Vec<Self> {
        let mut groups: Vec<(&BackendName, String, Self)> = Vec::new();
        for RegionStatus { location, failure } in regions {
            let text =
                |failure: Option<Failure>| failure.map_or_else(String::new, |it| it.to_string());
            let without_name = |it: &Failure| it.without_name(location.region.as_str());
            let shared = text(failure.as_ref().map(without_name));
            let place = location.to_string();
            let mut alike = groups.iter_mut();
            match alike.find(|(of, text, _)| **of == location.backend && *text == shared) {
                Some((.., group)) => {
                    group.locations.push(place);
                    group.failure = shared;
                }
                None => {
                    let group = Self {
                        locations: vec![place],
                        failure: text(failure.clone()),
                    };
                    groups.push((&location.backend, shared, group));
                }
            }
        }
        groups.into_iter().map(|(.., group)| group).collect()
    }
}
