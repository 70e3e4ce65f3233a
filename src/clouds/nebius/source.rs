//! A connected Nebius account: one read covers all regions, with the tenant's quotas, the
//! projects' quotas, the platforms and the advice on capacity.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join, join_all};
use nebius_api::quotas::v1::QuotaAllowance;

use super::account::{Account, AccountResolver, Project};
use super::client::Client;
use super::platforms::Platforms;
use super::quotas::{self, ByRegion, PROJECT, TENANT, container};
use super::regions::{by_region, snapshots, without_quotas};
use super::settings::Settings;
use super::token_source::TokenSource;
use super::{capacity, demand};
use crate::clouds::cloud::{Connection, RegionChoice};
use crate::clouds::kit::Sent;
use crate::clouds::kit::hourly::Hourly;
use crate::clouds::kit::optional::{named, optional};
use crate::model::{
    AccountId, Capacity, Coverage, Demand, Failure, FetchUnit, Incomplete, Instance, Market,
    Reading, Region, Snapshot, UnitId,
};
use crate::source::{CallContext, DemandScope, QuotaRef, QuotaSource, Wanted};

/// None of Nebius's services is regional, so one limit holds for the calls of all regions.
const EVERYWHERE: &str = "global";

/// Platforms come and go a few times a year.
const PLATFORMS_KNOWN_FOR: Duration = Duration::from_secs(3600);

/// Reads one account's quotas.
#[derive(Debug)]
pub(super) struct NebiusSource {
    settings: Settings,
    regions: RegionChoice,
    client: Client,
    account_resolver: AccountResolver,
    /// The platforms, on which demands rest.
    platforms: Hourly<Platforms>,
}

impl NebiusSource {
    pub(super) fn new(settings: Settings, connection: Connection) -> Result<Self, Failure> {
        let region = Region::from(EVERYWHERE);
        let token_source = TokenSource::new(
            &settings.credentials,
            &settings.endpoints,
            connection.base,
            connection.upstream.clone(),
            region.clone(),
        )?;
        let client = Client::new(
            &settings.endpoints,
            token_source,
            connection.upstream,
            region,
        )?;
        Ok(Self {
            settings,
            regions: connection.regions,
            client,
            account_resolver: AccountResolver::default(),
            platforms: Hourly::new(PLATFORMS_KNOWN_FOR),
        })
    }

    /// Reads all that the cloud tells.
    async fn read(&self, context: &CallContext) -> Result<Reading, Failure> {
        let account = self.account(context).await?;
        let projects: Vec<_> = account.projects.iter().collect();
        let (quotas, (capacity, optional_gaps)) = join(
            self.quotas(&account.tenant, &projects, &Wanted::All, context),
            self.optional(&account, context),
        )
        .await;
        let (quotas, mut gaps) = quotas?;
        gaps.extend(account.gaps.iter().cloned());
        gaps.extend(optional_gaps);
        let regions = by_region(quotas, &self.regions);
        gaps.extend(without_quotas(&self.regions, &regions));
        let platforms = self.platforms.last();
        // Without its quotas there is no reading.
        let incomplete = Incomplete {
            restrictions: platforms.is_none(),
            ..Incomplete::default()
        };
        let mut restrictions = platforms.unwrap_or_default().restrictions();
        restrictions.retain(|region, _| regions.contains_key(region));
        Ok(Reading {
            account: Some(AccountId::new(&*account.tenant)),
            regions: snapshots(regions),
            capacity,
            restrictions,
            gaps,
            incomplete,
            ..Reading::default()
        })
    }

    /// Reads these rows alone, of the tenant and of the projects that serve their regions.
    async fn read_only(
        &self,
        rows: &BTreeSet<QuotaRef>,
        wanted: &Wanted,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        let account = self.account(context).await?;
        let is_concerned = |project: &&Project| match &project.region {
            Some(region) => rows.iter().any(|row| row.region == *region),
            None => true,
        };
        let projects: Vec<_> = account.projects.iter().filter(is_concerned).collect();
        let quotas = self.quotas(&account.tenant, &projects, wanted, context);
        let (quotas, gaps) = quotas.await?;
        let mut regions = by_region(quotas, &self.regions);
        regions.retain(|region, quotas| {
            quotas.retain(|quota| wanted.includes(region, &quota.key));
            !quotas.is_empty()
        });
        Ok(Reading {
            account: Some(AccountId::new(&*account.tenant)),
            regions: snapshots(regions),
            gaps,
            ..Reading::default()
        })
    }

    async fn account(&self, context: &CallContext) -> Result<Arc<Account>, Failure> {
        let Self {
            account_resolver,
            settings,
            client,
            ..
        } = self;
        account_resolver.account(settings, client, context).await
    }

    /// Reads the quotas of the tenant and of these projects, with a failure for each project that
    /// could not be read.
    async fn quotas(
        &self,
        tenant: &str,
        projects: &[&Project],
        wanted: &Wanted,
        context: &CallContext,
    ) -> Result<(ByRegion, Vec<Failure>), Failure> {
        let projects = projects.iter().map(|project| async move {
            let rows = self.rows(&project.id, wanted, context).await;
            (project, rows)
        });
        let tenant_rows = self.rows(tenant, wanted, context);
        let (tenant_rows, projects) = join(tenant_rows, join_all(projects)).await;
        let mut quotas = quotas::understand(&container(TENANT, tenant), &tenant_rows?);
        let tenant_rows = quotas.clone();
        let mut gaps = Vec::new();
        for (project, rows) in projects {
            let rows = match rows {
                Ok(rows) => quotas::understand(&container(PROJECT, &project.id), &rows),
                // The last good answer, with this project's limits in it, serves better.
                Err(failure) if failure.kind.is_transient() => return Err(failure),
                Err(failure) => {
                    gaps.push(named(&project.id, failure));
                    unread(project, &tenant_rows)
                }
            };
            for (region, rows) in rows {
                quotas.entry(region).or_default().extend(rows);
            }
        }
        Ok((quotas, gaps))
    }

    /// Reads the rows of a tenant or project: a single one by its name, several by one list, which
    /// costs one call of the rate limit instead of one for each.
    async fn rows(
        &self,
        parent: &str,
        wanted: &Wanted,
        context: &CallContext,
    ) -> Result<Vec<Sent<QuotaAllowance>>, Failure> {
        if let Wanted::Only(rows) = wanted
            && let [row] = &rows.iter().collect::<Vec<_>>()[..]
        {
            let QuotaRef { region, key } = row;
            let found = self.client.quota(parent, &key.code, region, context);
            // A row of the account as a whole, or of no parent, is found only in the list.
            if let Some(row) = found.await? {
                return Ok(vec![row]);
            }
        }
        self.client.quotas(parent, context).await
    }

    /// Reads platforms and capacity, whose absence takes nothing from the quotas.
    async fn optional(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> (BTreeMap<Region, Vec<Capacity>>, Vec<Failure>) {
        let context = optional(context);
        let platforms = self.read_platforms(&account.projects, &context);
        let capacity = self.read_capacity(&account.tenant, &context);
        let (mut gaps, capacity) = join(platforms, capacity).await;
        let capacity = capacity.unwrap_or_else(|failure| {
            gaps.push(named("resource advice", failure));
            BTreeMap::new()
        });
        (capacity, gaps)
    }

    async fn read_capacity(
        &self,
        tenant: &str,
        context: &CallContext,
    ) -> Result<BTreeMap<Region, Vec<Capacity>>, Failure> {
        if !self.settings.capacity {
            return Ok(BTreeMap::new());
        }
        let rows = self.client.advice(tenant, context).await?;
        Ok(capacity::understand(&rows))
    }

    /// Reads the platforms of all projects' regions, if that is due.
    ///
    /// A list that fails is asked for again with the next read; until then names tell the quotas.
    async fn read_platforms(&self, projects: &[Project], context: &CallContext) -> Vec<Failure> {
        let read = async |known: Option<Arc<Platforms>>| {
            let lists = projects.iter().map(|project| async move {
                let list = self.client.platforms(&project.id, context).await;
                (project, list)
            });
            let mut platforms = known.map(Arc::unwrap_or_clone).unwrap_or_default();
            let mut failures = Vec::new();
            for (project, list) in join_all(lists).await {
                match list {
                    Ok(list) => platforms.learn(project.region.as_ref(), &list),
                    Err(failure) => {
                        failures.push(named(&format!("platforms of {}", project.id), failure));
                    }
                }
            }
            (Some(platforms), failures)
        };
        self.platforms.get(read).await.failures
    }
}

/// Returns the rows that stand for those of a project that may not be read.
fn unread(project: &Project, tenant_rows: &ByRegion) -> ByRegion {
    let rows = tenant_rows
        .get(&project.region)
        .filter(|_| project.region.is_some());
    let rows = rows.map(|rows| quotas::unread(&project.id, rows));
    rows.map(|rows| ByRegion::from([(project.region.clone(), rows)]))
        .unwrap_or_default()
}

impl QuotaSource for NebiusSource {
    fn units(&self) -> Vec<FetchUnit> {
        let coverage = match &self.regions {
            RegionChoice::Default | RegionChoice::All => Coverage::Discovered,
            RegionChoice::Listed(regions) => Coverage::Listed(regions.clone()),
        };
        let id = UnitId::from(TENANT);
        vec![FetchUnit { id, coverage }]
    }

    fn fetch<'a>(
        &'a self,
        _unit: &'a UnitId,
        wanted: &'a Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        match wanted {
            Wanted::All => Box::pin(self.read(context)),
            Wanted::Only(rows) => Box::pin(self.read_only(rows, wanted, context)),
        }
    }

    fn demand(&self, instance: &Instance, market: Market, _snapshot: &Snapshot) -> Demand {
        let platforms = self.platforms.last().unwrap_or_default();
        demand::demand(&platforms, instance, market)
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Backend {
            generation: self.platforms.generation(),
        }
    }
}
