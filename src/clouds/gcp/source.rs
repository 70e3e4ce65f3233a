//! A connected project: one read covers all regions, with Compute Engine's quotas, those of Cloud
//! Quotas and the usage of Cloud Monitoring.

use std::collections::BTreeSet;

use futures_util::future::{BoxFuture, join, join_all, join3};
use jiff::Timestamp;
use parking_lot::Mutex;

use super::client::Client;
use super::demand;
use super::family_quotas::{FAMILY_QUOTAS, FamilyQuota, Frame, of_code};
use super::metrics;
use super::quotas::{self, ByRegion, is_wanted};
use super::settings::{Settings, UsageSettings};
use super::usage::{self, LOOKED_BACK, USAGE_METRICS, UsageMetric, UsageReport};
use super::wire::{QuotaInfo, RegionRow};
use crate::clouds::cloud::{Connection, RegionChoice};
use crate::clouds::kit::Sent;
use crate::clouds::kit::optional::{each_once, named, optional};
use crate::model::{
    AccountId, Coverage, Demand, Failure, FetchUnit, Incomplete, Instance, Market, Moment, Quota,
    Reading, Region, Snapshot, UnitId,
};
use crate::source::{CallContext, DemandScope, QuotaRef, QuotaSource, Wanted};

/// One list costs one call, and brings the rows of all regions.
const MOST_SINGLE_REGIONS: usize = 4;

/// Reads one project's quotas.
#[derive(Debug)]
pub(super) struct GcpSource {
    regions: RegionChoice,
    usage: UsageSettings,
    client: Client,
    /// The usage as it was last read, which a failure does not erase: it tells its own age.
    last_usage: Mutex<UsageReport>,
}

/// Quotas of Cloud Quotas, as they were read.
type Families = Vec<(
    &'static FamilyQuota,
    Result<Option<Sent<QuotaInfo>>, Failure>,
)>;

impl GcpSource {
    pub(super) fn new(settings: Settings, connection: Connection) -> Result<Self, Failure> {
        let regions = connection.regions.clone();
        Ok(Self {
            regions,
            usage: settings.usage,
            client: Client::new(&settings, connection)?,
            last_usage: Mutex::default(),
        })
    }

    /// Reads all that the cloud tells.
    async fn read(&self, context: &CallContext) -> Result<Reading, Failure> {
        let all: Vec<_> = FAMILY_QUOTAS.iter().collect();
        let soon = optional(context);
        let usage = async {
            match self.usage {
                UsageSettings::Monitoring => self.read_usage(USAGE_METRICS.into(), &soon).await,
                UsageSettings::Off => Vec::new(),
            }
        };
        let compute = join(self.client.regions(context), self.client.global(context));
        let ((regions, global), families, mut gaps) =
            join3(compute, self.families(&all, &soon), usage).await;
        // What Compute Engine does not tell is worth little without what it does.
        let regions = regions?;
        let mut incomplete = Incomplete {
            usage: self.usage == UsageSettings::Monitoring
                && gaps.iter().any(|gap| gap.kind.is_transient())
                && !self.last_usage.lock().has(&USAGE_METRICS.into()),
            ..Incomplete::default()
        };
        let mut lacks_limits = false;
        let global = match global {
            Ok(global) => quotas::global(self.project(), &global),
            Err(failure) => {
                incomplete.limits |= failure.kind.is_transient();
                incomplete.usage |= failure.kind.is_transient();
                lacks_limits |= !failure.kind.is_transient();
                gaps.push(named("the project's global quotas", failure));
                quotas::global_unread(self.project())
            }
        };
        let warnings: Vec<_> = regions
            .iter()
            .filter(|row| is_wanted(&self.regions, &Region::from(&*row.value.name)))
            .filter_map(|row| quotas::warning(&row.value))
            .collect();
        incomplete.limits |= !warnings.is_empty();
        incomplete.usage |= !warnings.is_empty();
        gaps.extend(warnings);
        for (_, info) in &families {
            if let Err(failure) = info {
                incomplete.limits |= failure.kind.is_transient();
                lacks_limits |= !failure.kind.is_transient();
                gaps.push(named("quotas by family", failure.clone()));
            }
        }
        let by_region = self.by_region(&regions, &families, &global);
        gaps.extend(quotas::without_quotas(&self.regions, &by_region));
        Ok(Reading {
            account: Some(AccountId::new(self.project())),
            regions: quotas::snapshots(by_region),
            gaps: each_once(gaps),
            lacks_limits,
            incomplete,
            ..Reading::default()
        })
    }

    /// Returns the rows of the regions that are wanted, each with those that hold everywhere.
    fn by_region(
        &self,
        regions: &[Sent<RegionRow>],
        families: &Families,
        global: &[Quota],
    ) -> ByRegion {
        let usage = self.last_usage.lock().clone();
        let mut by_region = ByRegion::new();
        for row in regions {
            let region = Region::from(&*row.value.name);
            if !is_wanted(&self.regions, &region) {
                continue;
            }
            let mut rows = quotas::of_region(self.project(), row);
            let frame = self.frame(&region, &usage, row.at);
            for (family, info) in families {
                let more = match info {
                    Ok(Some(info)) => family.rows(info, frame),
                    // The project has no such quota: nothing was ever granted.
                    Ok(None) => Vec::new(),
                    Err(_) => family.unread(frame),
                };
                // Where Compute Engine lists it after all, its row has the exact usage.
                let is_new = |more: &Quota| rows.iter().all(|row| row.key != more.key);
                let more: Vec<_> = more.into_iter().filter(is_new).collect();
                rows.extend(more);
            }
            rows.extend(global.iter().cloned());
            by_region.insert(region, rows);
        }
        by_region
    }

    /// Reads these rows alone, by the fewest calls that bring them.
    async fn read_only(
        &self,
        rows: &BTreeSet<QuotaRef>,
        wanted: &Wanted,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        let mut regions = BTreeSet::new();
        let mut infos: Vec<&'static FamilyQuota> = Vec::new();
        let mut usages = BTreeSet::new();
        let mut globally = false;
        for QuotaRef { region, key } in rows {
            match of_code(&key.code) {
                Some(family) => {
                    if !infos.contains(&family) {
                        infos.push(family);
                    }
                    usages.insert(UsageMetric::of_code(&key.code));
                }
                None if metrics::is_global(&key.code) => globally = true,
                None => {
                    regions.insert(region.clone());
                }
            }
        }
        if self.usage == UsageSettings::Off {
            usages.clear();
        }
        let global = async {
            match globally {
                true => self.client.global(context).await.map(Some),
                false => Ok(None),
            }
        };
        let soon = optional(context);
        let compute = join(self.some_regions(&regions, context), global);
        let usage = self.read_usage(usages.clone(), &soon);
        let ((regional, global), families, gaps) =
            join3(compute, self.families(&infos, context), usage).await;
        let global = global?.map(|global| quotas::global(self.project(), &global));
        let mut by_region = ByRegion::new();
        for row in regional? {
            let region = Region::from(&*row.value.name);
            by_region.insert(region, quotas::of_region(self.project(), &row));
        }
        let report = self.last_usage.lock().clone();
        for (family, info) in families {
            let Some(info) = info? else { continue };
            let asked = rows
                .iter()
                .filter(|row| of_code(&row.key.code) == Some(family));
            let asked: BTreeSet<_> = asked.map(|row| &row.region).collect();
            for region in asked {
                let frame = self.frame(region, &report, info.at);
                let rows = family.rows(&info, frame);
                by_region.entry(region.clone()).or_default().extend(rows);
            }
        }
        for QuotaRef { region, key } in rows {
            let mut found = global.iter().flatten();
            let found = found.find(|row| row.key == *key).cloned();
            by_region.entry(region.clone()).or_default().extend(found);
        }
        by_region.retain(|region, quotas| {
            quotas.retain(|quota| wanted.includes(region, &quota.key));
            !quotas.is_empty()
        });
        Ok(Reading {
            account: Some(AccountId::new(self.project())),
            regions: quotas::snapshots(by_region),
            incomplete: Incomplete {
                usage: gaps.iter().any(|gap| gap.kind.is_transient()) && !report.has(&usages),
                ..Incomplete::default()
            },
            gaps,
            ..Reading::default()
        })
    }

    /// Reads the rows of some regions: one by one, or of many by the list.
    async fn some_regions(
        &self,
        regions: &BTreeSet<Region>,
        context: &CallContext,
    ) -> Result<Vec<Sent<RegionRow>>, Failure> {
        if regions.len() > MOST_SINGLE_REGIONS {
            return self.client.regions(context).await;
        }
        let reads = regions
            .iter()
            .map(|region| self.client.region(region, context));
        join_all(reads).await.into_iter().collect()
    }

    /// Reads quotas of Cloud Quotas: the first alone, since whoever may not read it, or has not
    /// enabled the service, may not read the others.
    async fn families(&self, wanted: &[&'static FamilyQuota], context: &CallContext) -> Families {
        let Some((first, others)) = wanted.split_first() else {
            return Vec::new();
        };
        let read = async |family: &'static FamilyQuota| {
            (family, self.client.quota_info(family.id, context).await)
        };
        let first = read(first).await;
        if let (_, Err(failure)) = &first
            && !failure.kind.is_transient()
        {
            let others = others.iter().map(|family| (*family, Err(failure.clone())));
            let others: Vec<_> = others.collect();
            return [first].into_iter().chain(others).collect();
        }
        let others = join_all(others.iter().map(|family| read(family))).await;
        [first].into_iter().chain(others).collect()
    }

    /// Reads the usage of these metrics, and returns the failures that left some as they were.
    async fn read_usage(
        &self,
        wanted: BTreeSet<UsageMetric>,
        context: &CallContext,
    ) -> Vec<Failure> {
        let now = self.client.now();
        let from = now.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
        let reads = wanted.into_iter().map(|metric| async move {
            let filter = metric.filter();
            let series = self.client.time_series(filter, (from, now), context).await;
            (metric, series)
        });
        let mut failures = Vec::new();
        for (metric, series) in join_all(reads).await {
            match series {
                Ok(series) => {
                    let usages = usage::understand(metric, &series);
                    self.last_usage.lock().learn(metric, usages);
                }
                Err(failure) => failures.push(named("usage of quotas by family", failure)),
            }
        }
        each_once(failures)
    }

    fn frame<'a>(
        &'a self,
        region: &'a Region,
        usage: &'a UsageReport,
        at: Option<Moment>,
    ) -> Frame<'a> {
        Frame {
            project: self.project(),
            region,
            usage,
            now: at.map_or_else(|| self.client.now(), |at| at.wall),
        }
    }

    fn project(&self) -> &str {
        self.client.project()
    }
}

impl QuotaSource for GcpSource {
    fn units(&self) -> Vec<FetchUnit> {
        let coverage = match &self.regions {
            RegionChoice::Default | RegionChoice::All => Coverage::Discovered,
            RegionChoice::Listed(regions) => Coverage::Listed(regions.clone()),
        };
        let id = UnitId::from("project");
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

    fn demand(&self, instance: &Instance, market: Market, snapshot: &Snapshot) -> Demand {
        demand::demand(instance, market, snapshot)
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Snapshot
    }

    fn demand_fingerprint(&self, snapshot: &Snapshot) -> Option<u64> {
        Some(demand::fingerprint(snapshot))
    }
}
