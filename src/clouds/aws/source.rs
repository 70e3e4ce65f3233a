//! A connected AWS account, whose fetch units are its regions.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, join, select};
use tokio::time::{Instant, timeout_at};

use crate::clouds::cloud::Connection;
use crate::model::{
    Coverage, Demand, Failure, FailureKind, FetchUnit, Instance, LimitSource, Market, QuotaKey,
    Reading, Region, Snapshot, UnitId,
};
use crate::source::{CallContext, DemandScope, QuotaRef, QuotaSource, Verification, Wanted};

use super::access::{Access, with_closest_region};
use super::client::{AccountClient, RegionClient};
use super::credentials;
use super::demand;
use super::fetch::{self, Limits};
use super::overrides::QuotaOverrides;
use super::reading::{late, reading, report_due, without_usage};
use super::regions::{ENABLED_BY_DEFAULT, needs_opt_in, resolve_regions};
use super::settings::{Settings, UsageSource};
use super::usage::{self, Report, Reports};
use super::verified::Verified;
use super::wanted::WantedQuotas;

/// At a rate that makes a read longer than this, answers would be out of use by the time they
/// come: an hour after its start, unless told otherwise, a read is too old for a verdict.
const LONGEST_READ: Duration = Duration::from_secs(30 * 60);

/// A connected AWS account.
#[derive(Debug)]
pub(super) struct AwsSource {
    regions: BTreeMap<UnitId, ReadRegion>,
    wanted: WantedQuotas,
    usage: UsageSource,
    quota_overrides: QuotaOverrides,
    access: Access,
    estimated_duration: Duration,
}

/// A region that is read.
#[derive(Debug)]
struct ReadRegion {
    client: RegionClient,
    reports: Reports,
    verified: Verified,
}

impl AwsSource {
    pub(super) async fn connect(
        settings: &Settings,
        connection: Connection,
    ) -> Result<Self, Failure> {
        let wanted = WantedQuotas::new(settings);
        let estimated_duration = wanted.estimated_duration(&connection.upstream);
        if estimated_duration > LONGEST_READ {
            return Err(too_slow(estimated_duration));
        }
        let regions = resolve_regions(&connection.regions);
        let reference = regions
            .iter()
            .find(|region| !needs_opt_in(region))
            .cloned()
            .unwrap_or_else(|| Region::from(ENABLED_BY_DEFAULT[0]));
        let credentials = credentials::kept(
            &settings.credentials,
            &reference,
            settings.sts_endpoint_url.as_ref(),
            &connection,
        )
        .await;
        let account = Arc::new(AccountClient::new(
            credentials,
            settings.endpoint_url.clone(),
            connection.upstream,
        ));
        let read_region = |region: &Region| {
            let read = ReadRegion {
                client: RegionClient::new(&account, region),
                reports: Reports::default(),
                verified: Verified::default(),
            };
            (UnitId::new(region.as_str()), read)
        };
        Ok(Self {
            regions: regions.iter().map(read_region).collect(),
            wanted,
            usage: settings.usage,
            quota_overrides: settings.quota_overrides.clone(),
            access: Access::new(&account, &reference),
            estimated_duration,
        })
    }

    fn region(&self, unit: &UnitId) -> Result<&ReadRegion, Failure> {
        self.regions.get(unit).ok_or_else(|| {
            let detail = format!("there is no fetch unit {unit}");
            Failure::new(FailureKind::NotFound, detail)
        })
    }

    /// Says more about a failure of a read than its call does.
    async fn explained(
        &self,
        region: &ReadRegion,
        read: Result<Reading, Failure>,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        let name = region.client.region();
        let read = match read {
            Err(refusal) if refusal.kind == FailureKind::NotEnabled => {
                Err(self.access.explain(refusal, name, context).await)
            }
            read => read,
        };
        read.map_err(|failure| with_closest_region(failure, name))
    }

    async fn read(
        &self,
        region: &ReadRegion,
        wanted: &Wanted,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        // Both at once, since a report takes seconds; but without limits there is no reading.
        let limits = pin!(self.limits(region, wanted, context));
        let report = pin!(self.report(region, wanted, context));
        let (limits, report) = match select(limits, report).await {
            Either::Left((limits, report)) => {
                let limits = limits?;
                let due = report_due(wanted, Instant::now(), context);
                let report = timeout_at(due, report).await;
                (limits, report.unwrap_or_else(|_| Some(Err(late()))))
            }
            Either::Right((report, limits)) => (limits.await?, report),
        };
        Ok(reading(region.client.region(), limits, report))
    }

    /// Reads the rows that launches wait for: a limit that is too small needs no usage.
    async fn verify_rows(
        &self,
        region: &ReadRegion,
        verification: &Verification,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        let ReadRegion {
            client, reports, ..
        } = region;
        let since = Instant::from_std(verification.since);
        let limits = self.limits(region, &verification.wanted, context);
        let report = async {
            let report = usage::read_or_share(client, reports, &self.wanted, since, context);
            let due = report_due(&verification.wanted, Instant::now(), context);
            let report = timeout_at(due, report).await;
            report.unwrap_or_else(|_| Err(late()))
        };
        if self.usage == UsageSource::Off {
            return Ok(reading(client.region(), limits.await?, None));
        }
        if !verification.may_be_decided_by_limits() {
            let (limits, report) = join(limits, report).await;
            return Ok(reading(client.region(), limits?, Some(report)));
        }
        let limits = limits.await?;
        let limit = |row: &QuotaRef| {
            let row = limits.rows.get(&row.key)?;
            let is_applied = row.limit_source == LimitSource::Applied;
            row.limit.known().filter(|_| is_applied)
        };
        if verification.is_decided_by_limits(limit) {
            return Ok(without_usage(reading(client.region(), limits, None)));
        }
        let report = report.await;
        Ok(reading(client.region(), limits, Some(report)))
    }

    /// Reads the limits that are wanted.
    async fn limits(
        &self,
        region: &ReadRegion,
        wanted: &Wanted,
        context: &CallContext,
    ) -> Result<Limits, Failure> {
        let ReadRegion {
            client, verified, ..
        } = region;
        match wanted {
            Wanted::All => fetch::read(client, &self.wanted, verified, context).await,
            Wanted::Only(rows) => {
                let here = rows.iter().filter(|row| row.region == *client.region());
                let keys = here.map(|row| row.key.clone()).collect();
                fetch::read_only(client, &keys, verified, context).await
            }
        }
    }

    /// Reads the utilization report, unless it is switched off.
    async fn report(
        &self,
        region: &ReadRegion,
        wanted: &Wanted,
        context: &CallContext,
    ) -> Option<Result<Arc<Report>, Failure>> {
        let ReadRegion {
            client, reports, ..
        } = region;
        match (self.usage, wanted) {
            (UsageSource::Off, _) => None,
            (UsageSource::Report, Wanted::All) => {
                Some(usage::read(client, reports, &self.wanted, context).await)
            }
            (UsageSource::Report, Wanted::Only(_)) => {
                let since = usage::shared_since();
                Some(usage::read_or_share(client, reports, &self.wanted, since, context).await)
            }
        }
    }
}

impl QuotaSource for AwsSource {
    fn units(&self) -> Vec<FetchUnit> {
        self.regions
            .iter()
            .map(|(id, region)| FetchUnit {
                id: id.clone(),
                coverage: Coverage::Region(region.client.region().clone()),
            })
            .collect()
    }

    fn placeholder_quotas(&self, region: &Region) -> Snapshot {
        self.wanted.placeholder_quotas(region)
    }

    fn fetch<'a>(
        &'a self,
        unit: &'a UnitId,
        wanted: &'a Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async move {
            let region = self.region(unit)?;
            let read = self.read(region, wanted, context).await;
            self.explained(region, read, context).await
        }
        .boxed()
    }

    fn verify<'a>(
        &'a self,
        unit: &'a UnitId,
        wanted: &'a Verification,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async move {
            let region = self.region(unit)?;
            let read = self.verify_rows(region, wanted, context).await;
            self.explained(region, read, context).await
        }
        .boxed()
    }

    fn estimated_duration(&self) -> Duration {
        self.estimated_duration
    }

    fn probe_permissions<'a>(
        &'a self,
        unit: &'a UnitId,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Vec<Failure>> {
        async move {
            let Some(region) = self.regions.get(unit) else {
                return Vec::new();
            };
            let sample = WantedQuotas::sample();
            let default = region
                .client
                .published(&sample.service, &sample.code, context)
                .await;
            default.err().into_iter().collect()
        }
        .boxed()
    }

    fn demand(&self, instance: &Instance, market: Market, _snapshot: &Snapshot) -> Demand {
        demand::demand(instance, market, &self.quota_overrides)
    }

    fn spot_counterparts(&self, on_demand: &QuotaKey) -> Vec<QuotaKey> {
        demand::spot_counterparts(on_demand)
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Settings(self.quota_overrides.fingerprint())
    }
}

fn too_slow(expected: Duration) -> Failure {
    let minutes = expected.as_secs() / 60;
    let detail = format!(
        "reading one region takes {minutes} minutes within this `rate_limit`, and answers would be \
         too old to use"
    );
    Failure::new(FailureKind::Throttled, detail)
        .with_hint("raise `rate_limit.per_second`, or ask for fewer `quotas`")
}
