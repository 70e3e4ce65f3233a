//! A connected AWS account: reads regions, and tells a region that is not enabled from
//! credentials that are not known.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::clouds::Connection;
use crate::model::{
    Coverage, Demand, Failure, FailureKind, FetchUnit, Incomplete, Instance, Market, Reading,
    Region, Snapshot, UnitId,
};
use crate::source::CallContext;
use crate::source::{self, DemandScope, QuotaSource};

use super::client::{RegionClient, shared_config};
use super::credentials;
use super::demand;
use super::fetch::{self, Limits, Wanted};
use super::overrides::QuotaOverrides;
use super::quotas;
use super::regions::{ENABLED_BY_DEFAULT, closest_region, needs_opt_in, resolve_regions};
use super::settings::{Settings, UsageSource};
use super::usage::{self, Report, Unread};

/// How long the answer to "are these credentials good at all" may be reused: long enough for all
/// regions of one round of reads, short enough to notice a revoked key.
const VERIFIED_FOR: Duration = Duration::from_secs(60);

/// How long limits that are in wait for the report. At the default rate limits take over four
/// seconds, in which AWS makes most reports, and callers wait for ten in all; a later report is
/// taken up by the next read.
const REPORT_GRACE: Duration = Duration::from_secs(3);

/// How long before the deadline limits that wait for the report are handed over without it.
const HAND_OVER: Duration = Duration::from_millis(250);

/// At a rate that makes a read longer than this, answers would be out of use by the time they
/// come: an hour after its start, unless told otherwise, a read is too old for a verdict.
const LONGEST_READ: Duration = Duration::from_secs(30 * 60);

/// A connected AWS account.
#[derive(Debug)]
pub(super) struct AwsSource {
    regions: BTreeMap<UnitId, ReadRegion>,
    wanted: Wanted,
    usage: UsageSource,
    quota_overrides: QuotaOverrides,
    /// A region that every account has, to try the credentials in.
    reference: RegionClient,
    /// When the credentials were last tried there, and with what result.
    verified: Mutex<Option<(Instant, Result<(), Failure>)>>,
    estimated_duration: Duration,
}

/// A region that is read.
#[derive(Debug)]
struct ReadRegion {
    client: RegionClient,
    unread: Unread,
}

impl AwsSource {
    pub(super) async fn connect(
        settings: &Settings,
        connection: Connection,
    ) -> Result<Self, Failure> {
        let wanted = Wanted::new(settings);
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
        let credentials = credentials::provider(
            &settings.credentials,
            &reference,
            settings.sts_endpoint_url.as_ref(),
            &connection.base,
        )
        .await;
        let config = shared_config(credentials);
        let client = |region: &Region| {
            let endpoint_url = settings.endpoint_url.as_ref();
            RegionClient::new(&config, region, endpoint_url, connection.upstream.clone())
        };
        Ok(Self {
            regions: regions
                .iter()
                .map(|region| {
                    let read = ReadRegion {
                        client: client(region),
                        unread: Unread::default(),
                    };
                    (UnitId::new(region.as_str()), read)
                })
                .collect(),
            wanted,
            usage: settings.usage,
            quota_overrides: settings.quota_overrides.clone(),
            reference: client(&reference),
            verified: Mutex::default(),
            estimated_duration,
        })
    }

    async fn read(&self, region: &ReadRegion, context: &CallContext) -> Result<Reading, Failure> {
        let client = &region.client;
        // Both at once, since a report takes seconds; but without limits there is no reading, and
        // with them it waits for the report no longer than is good for callers.
        let limits = pin!(fetch::read(client, &self.wanted, context));
        let report = pin!(self.report(region, context));
        let (limits, report) = match select(limits, report).await {
            Either::Left((limits, report)) => {
                let limits = limits?;
                let report = timeout_at(report_due(Instant::now(), context), report).await;
                (limits, report.unwrap_or_else(|_| Some(Err(late()))))
            }
            Either::Right((report, limits)) => (limits.await?, report),
        };
        let Limits { mut rows, mut gaps } = limits;
        let is_passing = |failure: &Failure| failure.kind.is_transient();
        let incomplete = Incomplete {
            limits: gaps.iter().any(is_passing),
            usage: matches!(&report, Some(Err(failure)) if is_passing(failure)),
        };
        match report {
            Some(Ok(report)) => {
                rows.values_mut().for_each(|quota| report.complete(quota));
                gaps.extend(report.gap);
            }
            Some(Err(failure)) => gaps.push(usage_gap(failure)),
            None => {}
        }
        gaps.dedup();
        Ok(Reading {
            account: rows.values().find_map(quotas::account),
            regions: BTreeMap::from([(
                client.region().clone(),
                Arc::new(Snapshot::new(rows.into_values().collect())),
            )]),
            capacity: BTreeMap::new(),
            restrictions: BTreeMap::new(),
            gaps,
            incomplete,
        })
    }

    /// The utilization report, unless it is switched off.
    async fn report(
        &self,
        region: &ReadRegion,
        context: &CallContext,
    ) -> Option<Result<Report, Failure>> {
        match self.usage {
            UsageSource::Report => Some(usage::read(&region.client, &region.unread, context).await),
            UsageSource::Off => None,
        }
    }

    /// Tells what a refusal means that may speak of the region or of the credentials.
    async fn explain(&self, refusal: Failure, region: &Region, context: &CallContext) -> Failure {
        let unknown_credentials = Failure {
            kind: FailureKind::Denied,
            hint: Some("check the backend's credentials: AWS does not know them".to_owned()),
            ..refusal.clone()
        };
        if !needs_opt_in(region) {
            return unknown_credentials;
        }
        match self.verify_credentials(context).await {
            Ok(()) => refusal.with_hint(format!(
                "enable {region} for the account, or leave it out of `regions`"
            )),
            Err(failure) if failure.kind == FailureKind::Denied => unknown_credentials,
            Err(failure) => Failure {
                detail: format!(
                    "{} (which means that {region} is not enabled, or that the credentials are \
                     unknown; {} could not tell: {})",
                    refusal.detail,
                    self.reference.region(),
                    failure.detail
                ),
                ..failure
            },
        }
    }

    /// Whether the credentials are good where every account has a region; asked by one at a time.
    async fn verify_credentials(&self, context: &CallContext) -> Result<(), Failure> {
        let mut verified = self.verified.lock().await;
        if let Some((when, result)) = &*verified
            && when.elapsed() < VERIFIED_FOR
        {
            return result.clone();
        }
        let sample = Wanted::sample();
        let tried = self
            .reference
            .applied(&sample.service, &sample.code, context)
            .await;
        let result = match tried {
            Ok(_) => Ok(()),
            Err(failure) if failure.kind == FailureKind::NotEnabled => Err(Failure {
                kind: FailureKind::Denied,
                ..failure
            }),
            Err(failure) => Err(failure),
        };
        *verified = Some((Instant::now(), result.clone()));
        result
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
        _wanted: &'a source::Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async move {
            let Some(region) = self.regions.get(unit) else {
                let detail = format!("there is no fetch unit {unit}");
                return Err(Failure::new(FailureKind::NotFound, detail));
            };
            let result = match self.read(region, context).await {
                Err(refusal) if refusal.kind == FailureKind::NotEnabled => {
                    let region = region.client.region();
                    Err(self.explain(refusal, region, context).await)
                }
                result => result,
            };
            result.map_err(|failure| hint(failure, region.client.region()))
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
            let sample = Wanted::sample();
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

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Settings(self.quota_overrides.fingerprint())
    }
}

/// Until when limits that are in at `now` wait for the report.
fn report_due(now: Instant, context: &CallContext) -> Instant {
    let deadline = Instant::from_std(context.deadline);
    let last = deadline.checked_sub(HAND_OVER).unwrap_or(now);
    last.min(now + REPORT_GRACE)
}

fn late() -> Failure {
    let seconds = REPORT_GRACE.as_secs();
    let detail = format!("the utilization report was not there {seconds} s after the limits");
    Failure::new(FailureKind::Timeout, detail)
}

/// A region that is not there fails in whatever way its address does.
fn hint(failure: Failure, region: &Region) -> Failure {
    let Some(meant) = closest_region(region) else {
        return failure;
    };
    let hint = failure.hint.as_deref().unwrap_or("look at `regions`");
    let hint = format!("{hint}; or is `{region}` meant to be `{meant}`?");
    failure.with_hint(hint)
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

fn usage_gap(failure: Failure) -> Failure {
    let hint = match failure.kind {
        FailureKind::Denied => Some(
            "grant servicequotas:StartQuotaUtilizationReport and \
             servicequotas:GetQuotaUtilizationReport, or set usage = \"off\""
                .to_owned(),
        ),
        _ => failure.hint,
    };
    Failure {
        detail: format!("usage is unknown: {}", failure.detail),
        hint,
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Priority, Urgency};

    #[test]
    fn limits_wait_for_the_report_a_little_and_never_past_the_deadline() {
        let now = Instant::now();
        let due = |left: Duration| {
            let context = CallContext {
                urgency: Urgency::new(Priority::Request),
                deadline: (now + left).into_std(),
            };
            report_due(now, &context)
        };
        assert_eq!(due(Duration::from_secs(50)), now + REPORT_GRACE);
        let last_second = Duration::from_secs(1);
        assert_eq!(due(last_second), now + last_second - HAND_OVER);
        assert!(due(Duration::ZERO) <= now);
    }
}
