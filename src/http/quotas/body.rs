//! Quotas as they are sent: the wire structs of the public contract, apart from the model.

use std::time::Duration;

use jiff::{Timestamp, Unit as TimeUnit};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::http::vocabulary::{
    BackendState, FailureKind, Freshness, LimitKind, LimitSource, QuotaMarket, QuotaScope,
    QuotaState, Unit,
};
use crate::model::{Amount, Container, Failure, FailureRecord, Limit, Quota, QuotaKey};
use crate::oracle::{BackendStatus, RegionView};

/// A region of a backend with its quotas.
#[derive(Serialize, ToSchema)]
#[schema(as = RegionQuotas)]
pub(in crate::http) struct RegionBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// Which cloud it connects to.
    #[schema(example = "aws")]
    kind: &'a str,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// The cloud's own name of the account, once it is known.
    #[schema(example = "123456789012")]
    account: Option<&'a str>,
    /// When the quotas were read; null if they never were.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    taken_at: Option<String>,
    /// `fresh`, `stale` or `expired`; null if the quotas were never read.
    #[schema(value_type = Option<Freshness>)]
    freshness: Option<&'static str>,
    /// The failure of the last read; absent when it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<FailureRecordBody>,
    /// Failures that left something out of the quotas below; absent when nothing is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<FailureBody>,
    /// The quotas, ordered by service, code and container.
    quotas: Vec<QuotaBody<'a>>,
}

/// One limit of one account.
///
/// As the quota that decided a verdict it may be of a region that was not read: then all numbers are
/// null, and so is what the cloud's own documentation does not tell.
#[derive(Serialize, ToSchema)]
#[schema(as = Quota)]
pub(in crate::http) struct QuotaBody<'a> {
    /// The cloud's code.
    #[schema(example = "L-417A185B")]
    code: &'a str,
    /// The quota's display name.
    #[schema(example = "Running On-Demand P instances")]
    name: Option<&'a str>,
    /// The cloud's service.
    #[schema(example = "ec2")]
    service: &'a str,
    /// The unit of the numbers: `vcpu`, `gpu`, `instance`, `byte` or `count`.
    #[schema(value_type = Option<Unit>)]
    unit: Option<&'static str>,
    /// Which launches draw on it: `on_demand`, `spot`, `reserved` or `any`.
    #[schema(value_type = Option<QuotaMarket>)]
    market: Option<&'static str>,
    /// Where it holds: `region`, `zone` or `global`.
    #[schema(value_type = Option<QuotaScope>)]
    scope: Option<&'static str>,
    /// Whose limit it is, where the cloud sets limits on several layers.
    container: Option<ContainerBody<'a>>,
    /// The limit; null when unknown, unlimited or inherited.
    #[schema(value_type = Option<f64>, minimum = 0, example = 192)]
    limit: Option<Number>,
    /// `unlimited` where the cloud says so, `inherited` where the layer above sets it; absent
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LimitKind>)]
    limit_kind: Option<&'static str>,
    /// `frozen` where the limit stands and nothing of it can be used, `provisioning` while it is
    /// being changed; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<QuotaState>)]
    state: Option<&'static str>,
    /// Where the limit comes from: `applied`, `learned`, `configured` or `default`; null where
    /// `limit` is null.
    #[schema(value_type = Option<LimitSource>)]
    limit_source: Option<&'static str>,
    /// The amount in use; null when unknown. One that the cloud counted too long ago is shown with
    /// its time and is no basis of a verdict: `available` is then null.
    #[schema(value_type = Option<f64>, minimum = 0, example = 96)]
    usage: Option<Number>,
    /// When the cloud counted the usage, where it says so.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    usage_as_of: Option<String>,
    /// The amount held for launches under way.
    #[schema(value_type = f64, minimum = 0, example = 0)]
    leased: Number,
    /// The amount left, never below zero; null when limit or usage is unknown.
    #[schema(value_type = Option<f64>, minimum = 0, example = 96)]
    available: Option<Number>,
    /// Whether the account may ask for more, where the cloud says so.
    adjustable: Option<bool>,
    /// The default that the cloud publishes for new accounts.
    #[schema(value_type = Option<f64>, minimum = 0, example = 0)]
    default: Option<Number>,
    /// Where a person asks for more.
    #[schema(
        example = "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-417A185B"
    )]
    increase_url: Option<&'a str>,
    /// The command that asks for more, where no page shows the quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "gcloud beta quotas preferences create --service=compute.googleapis.com --quota-id=GPUS-PER-GPU-FAMILY-per-project-region --dimensions=region=us-central1,gpu_family=NVIDIA_H100 --preferred-value=VALUE --project=example"
    )]
    increase_command: Option<&'a str>,
    /// When the call that brought the row was sent; absent when that is the snapshot's `taken_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    observed_at: Option<String>,
}

/// Whose limit a quota is.
#[derive(Serialize, ToSchema)]
#[schema(as = Container)]
pub(in crate::http) struct ContainerBody<'a> {
    /// The cloud's word for the layer.
    #[schema(example = "project")]
    kind: &'a str,
    /// The cloud's id of it.
    #[schema(example = "project-e00a1b2c3")]
    id: &'a str,
}

/// The failure of a read.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub(in crate::http) struct FailureBody {
    /// `denied`, `not_enabled`, `not_found`, `throttled`, `timeout`, `unavailable` or `malformed`.
    #[schema(value_type = FailureKind)]
    kind: &'static str,
    /// In the words of whoever refused.
    #[schema(example = "GetServiceQuota was refused: User is not authorized")]
    detail: String,
    /// A remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "grant servicequotas:GetServiceQuota to the backend's credentials")]
    advice: Option<String>,
}

/// The failure of the last read, and when the next one is due.
#[derive(Serialize, ToSchema)]
#[schema(as = LastFailure)]
pub(in crate::http) struct FailureRecordBody {
    #[serde(flatten)]
    failure: FailureBody,
    /// When it failed.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    at: String,
    /// Seconds from then until the next read.
    #[schema(example = 30)]
    retry_after_seconds: u64,
}

/// The backends and how they are doing.
#[derive(Serialize, ToSchema)]
#[schema(as = Overview)]
pub(in crate::http) struct OverviewBody<'a> {
    /// The backends, as far as the caller may see them.
    pub(in crate::http) backends: Vec<BackendOverviewBody<'a>>,
}

/// A backend and the freshness of its regions.
#[derive(Serialize, ToSchema)]
#[schema(as = BackendOverview)]
pub(in crate::http) struct BackendOverviewBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// Which cloud it connects to.
    #[schema(example = "aws")]
    kind: &'a str,
    /// The cloud's own name of the account, once it is known.
    #[schema(example = "123456789012")]
    account: Option<&'a str>,
    /// `idle`, `reading`, `ok`, `stale`, `partial` or `unavailable`.
    #[schema(value_type = BackendState)]
    status: &'static str,
    /// When a launch last ended otherwise than its verdict had it, of those that
    /// `/quotas/{backend}` has; null if none did.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    contradicted_at: Option<String>,
    /// Its regions.
    regions: Vec<RegionOverviewBody<'a>>,
}

/// A region and its freshness.
#[derive(Serialize, ToSchema)]
#[schema(as = RegionOverview)]
pub(in crate::http) struct RegionOverviewBody<'a> {
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// `fresh`, `stale` or `expired`; null if it was never read.
    #[schema(value_type = Option<Freshness>)]
    freshness: Option<&'static str>,
    /// When its quotas were read; null if they never were.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    taken_at: Option<String>,
    /// The failure of the last read; null when it succeeded.
    last_failure: Option<FailureRecordBody>,
}

impl<'a> RegionBody<'a> {
    /// Converts a region's view, with the rows that `keep` accepts.
    pub(in crate::http) fn of(view: &'a RegionView, keep: impl Fn(&Quota) -> bool) -> Self {
        let known = view.snapshot();
        let rows = known.map_or(&[][..], |known| known.quotas.quotas());
        Self {
            backend: view.backend(),
            kind: view.kind().as_str(),
            region: view.region().as_str(),
            account: view.account().map(|account| account.as_str()),
            taken_at: known.map(|known| time(known.taken_at.wall)),
            freshness: known.map(|known| known.age.freshness.as_str()),
            last_failure: view.last_failure().map(FailureRecordBody::of),
            gaps: known.map_or_else(Vec::new, |known| {
                known.gaps.iter().map(FailureBody::of).collect()
            }),
            quotas: rows
                .iter()
                .filter(|row| keep(row))
                .map(|row| QuotaBody::of(&row.key, Some(row), view.leased_of(row)))
                .collect(),
        }
    }
}

impl<'a> QuotaBody<'a> {
    /// The row of a quota, of which so much is leased; without a row, what its key tells.
    pub(in crate::http) fn of(key: &'a QuotaKey, row: Option<&'a Quota>, leased: Amount) -> Self {
        Self {
            code: &key.code,
            name: row.map(|row| &*row.name),
            service: &key.service,
            unit: row.map(|row| row.unit.as_str()),
            market: row.map(|row| row.market.as_str()),
            scope: row.map(|row| row.scope.as_str()),
            container: row
                .and_then(|row| row.container.as_ref())
                .map(ContainerBody::of),
            limit: row.and_then(|row| row.limit.known()).map(Number),
            limit_kind: row.and_then(|row| match row.limit {
                Limit::Unlimited => Some("unlimited"),
                Limit::Inherited => Some("inherited"),
                Limit::Known(_) | Limit::Unknown => None,
            }),
            state: row.and_then(|row| row.state.as_str()),
            limit_source: row
                .filter(|row| row.limit.known().is_some())
                .map(|row| row.limit_source.as_str()),
            usage: row.and_then(|row| row.usage.shown()).map(Number),
            usage_as_of: row.and_then(|row| row.usage.as_of()).map(time),
            leased: Number(leased),
            available: row.and_then(|row| row.available(leased)).map(Number),
            adjustable: row.and_then(|row| row.adjustable),
            default: row.and_then(|row| row.default).map(Number),
            increase_url: row.and_then(|row| row.increase_url.as_deref()),
            increase_command: row.and_then(|row| row.increase_command.as_deref()),
            observed_at: row.and_then(|row| row.observed_at).map(|at| time(at.wall)),
        }
    }
}

impl<'a> ContainerBody<'a> {
    pub(in crate::http) fn of(container: &'a Container) -> Self {
        Self {
            kind: &container.kind,
            id: &container.id,
        }
    }
}

impl FailureBody {
    pub(in crate::http) fn of(failure: &Failure) -> Self {
        Self {
            kind: failure.kind.as_str(),
            detail: failure.detail.clone(),
            advice: failure.hint.clone(),
        }
    }
}

impl FailureRecordBody {
    fn of(record: &FailureRecord) -> Self {
        let wait: Duration = record.next_try.until(record.at);
        Self {
            failure: FailureBody::of(&record.failure),
            at: time(record.at.wall),
            retry_after_seconds: wait.as_secs_f64().ceil() as u64,
        }
    }
}

impl<'a> BackendOverviewBody<'a> {
    pub(in crate::http) fn of(
        status: &'a BackendStatus,
        contradicted_at: Option<Timestamp>,
    ) -> Self {
        Self {
            contradicted_at: contradicted_at.map(time),
            backend: status.name.as_str(),
            kind: status.kind.as_str(),
            account: status.account.as_ref().map(|account| account.as_str()),
            status: status.status.as_str(),
            regions: status.regions.iter().map(RegionOverviewBody::of).collect(),
        }
    }
}

impl<'a> RegionOverviewBody<'a> {
    pub(in crate::http) fn of(view: &'a RegionView) -> Self {
        let known = view.snapshot();
        Self {
            region: view.region().as_str(),
            freshness: known.map(|known| known.age.freshness.as_str()),
            taken_at: known.map(|known| time(known.taken_at.wall)),
            last_failure: view.last_failure().map(FailureRecordBody::of),
        }
    }
}

/// A time as it is sent: UTC, to the second.
pub(in crate::http) fn time(at: Timestamp) -> String {
    at.round(TimeUnit::Second).unwrap_or(at).to_string()
}

/// An amount as it is sent: a whole number without a fraction wherever it is one.
#[derive(Clone, Copy)]
pub(in crate::http) struct Number(pub(in crate::http) Amount);

/// The largest double below which every whole number is exact (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0.get();
        if value.fract() == 0.0 && value <= EXACT {
            serializer.serialize_u64(value as u64)
        } else {
            serializer.serialize_f64(value)
        }
    }
}
