//! One read of an account: the tenant's quotas, the projects', and what else the cloud tells.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, join, join_all};
use tokio::time::Instant;

use super::account::{Account, AccountResolver, Project};
use super::client::Client;
use super::platforms::Platforms;
use super::quotas::{self, ByRegion, PROJECT, TENANT, container};
use super::settings::Settings;
use super::token_source::TokenSource;
use super::{capacity, demand};
use crate::clouds::{Connection, RegionChoice};
use crate::model::{
    AccountId, Capacity, Coverage, Demand, Failure, FailureKind, FetchUnit, Incomplete, Instance,
    Market, Quota, Reading, Region, Snapshot, UnitId,
};
use crate::source::CallContext;
use crate::source::{DemandScope, QuotaSource, Wanted};

/// None of Nebius's services is regional, so one limit holds for the calls of all regions.
const EVERYWHERE: &str = "global";

/// Platforms come and go a few times a year.
const PLATFORMS_KNOWN_FOR: Duration = Duration::from_secs(3600);

/// What is read besides the quotas may not keep them waiting for longer, but long enough for the
/// circuit breaker to learn that it hangs.
const OPTIONAL_TIMEOUT: Duration = Duration::from_secs(4);

/// Reads one account's quotas.
#[derive(Debug)]
pub(super) struct NebiusSource {
    settings: Settings,
    regions: RegionChoice,
    client: Client,
    account_resolver: AccountResolver,
    platforms: ArcSwap<Platforms>,
    /// Counts the changes of `platforms`, on which demands rest.
    platforms_generation: AtomicU64,
    platforms_read_at: Mutex<Option<Instant>>,
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
            platforms: ArcSwap::default(),
            platforms_generation: AtomicU64::new(0),
            platforms_read_at: Mutex::default(),
        })
    }

    async fn read(&self, context: &CallContext) -> Result<Reading, Failure> {
        let account = self
            .account_resolver
            .account(&self.settings, &self.client, context);
        let account = account.await?;
        let (quotas, (capacity, optional_gaps)) = join(
            self.quotas(&account, context),
            self.optional(&account, context),
        )
        .await;
        let (quotas, mut gaps) = quotas?;
        gaps.extend(account.gaps.iter().cloned());
        gaps.extend(optional_gaps);
        let regions = self.by_region(quotas, &mut gaps);
        Ok(Reading {
            account: Some(AccountId::new(&*account.tenant)),
            regions,
            capacity,
            restrictions: BTreeMap::new(),
            gaps,
            // Without its quotas there is no reading.
            incomplete: Incomplete::default(),
        })
    }

    /// The quotas of the tenant and of its projects, and which projects could not be read.
    async fn quotas(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> Result<(ByRegion, Vec<Failure>), Failure> {
        let projects = account.projects.iter().map(|project| async move {
            let rows = self.client.quotas(&project.id, context).await;
            (project, rows)
        });
        let tenant = self.client.quotas(&account.tenant, context);
        let (tenant, projects) = join(tenant, join_all(projects)).await;
        let mut quotas = quotas::understand(&container(TENANT, &account.tenant), &tenant?);
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

    /// Platforms and capacity, whose absence takes nothing from the quotas.
    async fn optional(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> (BTreeMap<Region, Vec<Capacity>>, Vec<Failure>) {
        let soon = (Instant::now() + OPTIONAL_TIMEOUT).into_std();
        let context = CallContext {
            urgency: context.urgency.clone(),
            deadline: context.deadline.min(soon),
        };
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

    async fn read_platforms(&self, projects: &[Project], context: &CallContext) -> Vec<Failure> {
        let read_at = *self.lock_platforms_read_at();
        if read_at.is_some_and(|at| at.elapsed() < PLATFORMS_KNOWN_FOR) {
            return Vec::new();
        }
        let lists = projects.iter().map(|project| async move {
            let platforms = self.client.platforms(&project.id, context).await;
            platforms.map_err(|failure| named(&format!("platforms of {}", project.id), failure))
        });
        let mut gaps = Vec::new();
        let mut platforms = Platforms::clone(&self.platforms.load());
        for list in join_all(lists).await {
            match list {
                Ok(list) => platforms.learn(&list),
                Err(failure) => gaps.push(failure),
            }
        }
        if platforms != **self.platforms.load() {
            self.platforms.store(Arc::new(platforms));
            self.platforms_generation.fetch_add(1, Ordering::Release);
        }
        // What failed is tried again with the next read; until then names tell the quotas.
        if gaps.is_empty() {
            *self.lock_platforms_read_at() = Some(Instant::now());
        }
        gaps
    }

    fn lock_platforms_read_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.platforms_read_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The snapshots of the regions that are wanted.
    fn by_region(
        &self,
        mut quotas: ByRegion,
        gaps: &mut Vec<Failure>,
    ) -> BTreeMap<Region, Arc<Snapshot>> {
        let everywhere = quotas.remove(&None).unwrap_or_default();
        let mut found: BTreeMap<Region, Vec<Quota>> = quotas
            .into_iter()
            .filter_map(|(region, rows)| Some((region?, rows)))
            .collect();
        if let RegionChoice::Listed(listed) = &self.regions {
            let missing = listed.iter().filter(|region| !found.contains_key(*region));
            gaps.extend(missing.map(|region| {
                let detail = format!("the tenant has no quotas in {region}");
                Failure::new(FailureKind::NotEnabled, detail)
            }));
            found.retain(|region, _| listed.contains(region));
        }
        let snapshot = |rows: Vec<Quota>| {
            let rows = rows.into_iter().chain(everywhere.iter().cloned());
            Arc::new(Snapshot::new(rows.collect()))
        };
        let regions = found.into_iter();
        regions
            .map(|(region, rows)| (region, snapshot(rows)))
            .collect()
    }
}

/// What stands for the rows of a project that may not be read.
fn unread(project: &Project, tenant_rows: &ByRegion) -> ByRegion {
    let rows = tenant_rows
        .get(&project.region)
        .filter(|_| project.region.is_some());
    let rows = rows.map(|rows| quotas::unread(&project.id, rows));
    rows.map(|rows| ByRegion::from([(project.region.clone(), rows)]))
        .unwrap_or_default()
}

fn named(what: &str, mut failure: Failure) -> Failure {
    failure.detail = format!("{what}: {}", failure.detail);
    failure
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
        _wanted: &'a Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        Box::pin(self.read(context))
    }

    fn demand(&self, instance: &Instance, market: Market, _snapshot: &Snapshot) -> Demand {
        demand::demand(&self.platforms.load(), instance, market)
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Backend {
            generation: self.platforms_generation.load(Ordering::Acquire),
        }
    }
}
