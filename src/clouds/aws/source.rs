//! A connected AWS account: reads regions, and tells a region that is not enabled from
//! credentials that are not known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::clouds::Connection;
use crate::model::{
    CallContext, Demand, Failure, FailureKind, FetchUnit, Instance, Market, Reading, Region,
    Snapshot, UnitId,
};
use crate::source::QuotaSource;

use super::client::{RegionClient, shared_config};
use super::demand;
use super::limits::{self, Limits, Wanted};
use super::overrides::QuotaOverrides;
use super::regions::{ENABLED_BY_DEFAULT, chosen, needs_opt_in};
use super::row;
use super::settings::{Settings, UsageSource};
use super::{credentials, usage};

/// How long the answer to "are these credentials good at all" may be reused: long enough for all
/// regions of one round of reads, short enough to notice a revoked key.
const VOUCH_FOR: Duration = Duration::from_secs(60);

/// A connected AWS account.
#[derive(Debug)]
pub(super) struct AwsSource {
    clients: BTreeMap<UnitId, RegionClient>,
    wanted: Wanted,
    usage: UsageSource,
    quota_overrides: QuotaOverrides,
    /// A region that every account has, to try the credentials in.
    reference: RegionClient,
    /// When the credentials were last tried there, and with what result.
    vouched: Mutex<Option<(Instant, Result<(), Failure>)>>,
}

impl AwsSource {
    pub(super) async fn connect(
        settings: &Settings,
        connection: Connection,
    ) -> Result<Self, Failure> {
        let regions = chosen(&connection.regions);
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
        .await?;
        let config = shared_config(credentials);
        let client = |region: &Region| {
            let endpoint_url = settings.endpoint_url.as_ref();
            RegionClient::new(&config, region, endpoint_url, connection.upstream.clone())
        };
        Ok(Self {
            clients: regions
                .iter()
                .map(|region| (UnitId::new(region.as_str()), client(region)))
                .collect(),
            wanted: Wanted::new(settings),
            usage: settings.usage,
            quota_overrides: settings.quota_overrides.clone(),
            reference: client(&reference),
            vouched: Mutex::default(),
        })
    }

    async fn read(&self, client: &RegionClient, context: &CallContext) -> Result<Reading, Failure> {
        // Both at once, since a report takes seconds; but without limits there is no reading, so
        // their failure ends it.
        let limits = limits::read(client, &self.wanted, context);
        let report = async {
            match self.usage {
                UsageSource::Report => Ok(Some(usage::read(client, context).await)),
                UsageSource::Off => Ok::<_, Failure>(None),
            }
        };
        let (Limits { mut rows, mut gaps }, report) = tokio::try_join!(limits, report)?;
        match report {
            Some(Ok(report)) => rows.values_mut().for_each(|quota| report.complete(quota)),
            Some(Err(failure)) => gaps.push(usage_gap(failure)),
            None => {}
        }
        gaps.dedup();
        Ok(Reading {
            account: rows.values().find_map(row::account),
            regions: BTreeMap::from([(
                client.region().clone(),
                Arc::new(Snapshot::new(rows.into_values().collect())),
            )]),
            capacity: BTreeMap::new(),
            gaps,
        })
    }

    /// Tells what a refusal means that may speak of the region or of the credentials.
    async fn explain(&self, refusal: Failure, region: &Region, context: &CallContext) -> Failure {
        let unknown_credentials = Failure {
            kind: FailureKind::Denied,
            advice: Some("check the backend's credentials: AWS does not know them".to_owned()),
            ..refusal.clone()
        };
        if !needs_opt_in(region) {
            return unknown_credentials;
        }
        match self.vouch(context).await {
            Ok(()) => refusal.advise(format!(
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
    async fn vouch(&self, context: &CallContext) -> Result<(), Failure> {
        let mut vouched = self.vouched.lock().await;
        if let Some((when, result)) = &*vouched
            && when.elapsed() < VOUCH_FOR
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
        *vouched = Some((Instant::now(), result.clone()));
        result
    }
}

impl QuotaSource for AwsSource {
    fn units(&self) -> Vec<FetchUnit> {
        self.clients
            .iter()
            .map(|(id, client)| FetchUnit {
                id: id.clone(),
                regions: vec![client.region().clone()],
            })
            .collect()
    }

    fn fetch<'a>(
        &'a self,
        unit: &'a UnitId,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async move {
            let Some(client) = self.clients.get(unit) else {
                let detail = format!("there is no fetch unit {unit}");
                return Err(Failure::new(FailureKind::NotFound, detail));
            };
            match self.read(client, context).await {
                Err(refusal) if refusal.kind == FailureKind::NotEnabled => {
                    Err(self.explain(refusal, client.region(), context).await)
                }
                result => result,
            }
        }
        .boxed()
    }

    fn demand(&self, instance: &Instance, market: Market) -> Demand {
        demand::demand(instance, market, &self.quota_overrides)
    }
}

fn usage_gap(failure: Failure) -> Failure {
    let advice = match failure.kind {
        FailureKind::Denied => Some(
            "grant servicequotas:StartQuotaUtilizationReport and \
             servicequotas:GetQuotaUtilizationReport, or set usage = \"off\""
                .to_owned(),
        ),
        _ => failure.advice,
    };
    Failure {
        detail: format!("usage is unknown: {}", failure.detail),
        advice,
        ..failure
    }
}
