//! A connected subscription, whose fetch units are its locations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join};
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::demand;
use super::families::{Families, bundled_names};
use super::late_list::{LateList, UnderWay};
use super::locations;
use super::names::{self, COMPUTE, NETWORK};
use super::quotas::{self, Categories, Place};
use super::settings::{AzureCloud, Settings};
use super::sizes::SizeList;
use super::wire::UsageRow;
use crate::clouds::cloud::Connection;
use crate::clouds::kit::Sent;
use crate::clouds::kit::hourly::Hourly;
use crate::clouds::kit::optional::{named, optional};
use crate::model::{
    AccountId, Coverage, Demand, Failure, FailureKind, FetchUnit, Incomplete, Instance, Market,
    Quota, Reading, Region, Snapshot, UnitId,
};
use crate::source::{CallContext, DemandScope, Priority, QuotaRef, QuotaSource, Wanted};

/// Restrictions come and go within days, and the list takes Azure up to half a minute.
const SIZES_KNOWN_FOR: Duration = Duration::from_secs(6 * 3600);

/// A restriction that was not seen for longer may have been lifted.
const RESTRICTIONS_HOLD_FOR: Duration = Duration::from_secs(24 * 3600);

/// Categories are provisioned once for a subscription.
const CATEGORIES_KNOWN_FOR: Duration = Duration::from_secs(6 * 3600);

/// Reads one subscription's quotas.
#[derive(Debug)]
pub(super) struct AzureSource {
    cloud: AzureCloud,
    client: Arc<Client>,
    families: Arc<Families>,
    locations: BTreeMap<UnitId, Location>,
}

/// A location that is read.
#[derive(Debug)]
struct Location {
    name: Region,
    sizes: LateList<SizeList>,
    categories: Hourly<Categories>,
}

impl AzureSource {
    pub(super) fn new(settings: &Settings, connection: Connection) -> Result<Self, Failure> {
        let locations = locations::resolve(settings.cloud, &connection.regions);
        let location = |name: Region| {
            let location = Location {
                sizes: LateList::new(SIZES_KNOWN_FOR),
                categories: Hourly::new(CATEGORIES_KNOWN_FOR),
                name,
            };
            (UnitId::new(location.name.as_str()), location)
        };
        Ok(Self {
            cloud: settings.cloud,
            client: Arc::new(Client::new(settings, connection)?),
            families: Arc::default(),
            locations: locations.into_iter().map(location).collect(),
        })
    }

    fn location(&self, unit: &UnitId) -> Result<&Location, Failure> {
        self.locations.get(unit).ok_or_else(|| {
            let detail = format!("there is no fetch unit {unit}");
            Failure::new(FailureKind::NotFound, detail)
        })
    }

    /// Reads all that the cloud tells.
    async fn read(&self, location: &Location, context: &CallContext) -> Result<Reading, Failure> {
        let name = &location.name;
        let soon = optional(context);
        let (compute, network) = join(
            self.client.compute_usages(name, context),
            self.client.network_usages(name, &soon),
        )
        .await;
        // Without its compute quotas there is no reading.
        let compute = compute?;
        let mut gaps = Vec::new();
        let mut incomplete = Incomplete::default();
        let network = network.unwrap_or_else(|failure| {
            incomplete.limits |= failure.kind.is_transient();
            incomplete.usage |= failure.kind.is_transient();
            gaps.push(named("quotas of public addresses", failure));
            Vec::new()
        });
        let categories = match has_categories(&compute) {
            true => self.categories(location, &soon, &mut gaps).await,
            false => None,
        };
        let under_way = self.start_sizes(location);
        let known = || location.sizes.last(RESTRICTIONS_HOLD_FOR);
        if let Some(under_way) = under_way.filter(|_| known().is_none()) {
            wait_a_little(under_way, &soon).await;
        }
        let sizes = known();
        incomplete.restrictions = sizes.is_none();
        gaps.extend(self.gaps_of_sizes(location, sizes.is_none()));
        let restrictions =
            sizes.map(|sizes| (name.clone(), sizes.restrictions(name, bundled_names())));
        let mut rows = self.rows(name, COMPUTE, &compute, categories.as_deref());
        rows.extend(self.rows(name, NETWORK, &network, None));
        Ok(Reading {
            restrictions: restrictions.into_iter().collect(),
            gaps,
            incomplete,
            ..self.reading(name, rows)
        })
    }

    /// Reads the rows of the providers that these rows are of: one call brings them all.
    async fn read_only(
        &self,
        location: &Location,
        rows: &BTreeSet<QuotaRef>,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        let name = &location.name;
        let needs = |provider: &str| rows.iter().any(|row| &*row.key.service == provider);
        let compute = async {
            match needs(COMPUTE) {
                true => self.client.compute_usages(name, context).await.map(Some),
                false => Ok(None),
            }
        };
        let network = async {
            match needs(NETWORK) {
                true => self.client.network_usages(name, context).await.map(Some),
                false => Ok(None),
            }
        };
        let (compute, network) = join(compute, network).await;
        let mut gaps = Vec::new();
        let mut quotas = Vec::new();
        if let Some(compute) = compute? {
            let categories = location.categories.last();
            quotas.extend(self.rows(name, COMPUTE, &compute, categories.as_deref()));
        }
        match network {
            Ok(network) => {
                let network = network.unwrap_or_default();
                quotas.extend(self.rows(name, NETWORK, &network, None));
            }
            Err(failure) if quotas.is_empty() => return Err(failure),
            Err(failure) => gaps.push(named("quotas of public addresses", failure)),
        }
        Ok(Reading {
            gaps,
            ..self.reading(name, quotas)
        })
    }

    fn reading(&self, location: &Region, rows: Vec<Quota>) -> Reading {
        let snapshot = Arc::new(Snapshot::new(rows));
        Reading {
            account: Some(AccountId::new(self.client.subscription())),
            regions: BTreeMap::from([(location.clone(), snapshot)]),
            ..Reading::default()
        }
    }

    fn rows(
        &self,
        location: &Region,
        provider: &'static str,
        rows: &[Sent<UsageRow>],
        categories: Option<&Categories>,
    ) -> Vec<Quota> {
        let place = Place {
            cloud: self.cloud,
            subscription: self.client.subscription(),
            location,
        };
        quotas::quotas(place, provider, rows, categories)
    }

    /// Returns the category of each family, read anew if that is due.
    async fn categories(
        &self,
        location: &Location,
        context: &CallContext,
        gaps: &mut Vec<Failure>,
    ) -> Option<Arc<Categories>> {
        let read = async |_| match self.client.families(&location.name, context).await {
            Ok(rows) => (Some(quotas::categories(&rows)), Vec::new()),
            Err(failure) => (None, vec![failure]),
        };
        let kept = location.categories.get(read).await;
        let failures = kept.failures.into_iter();
        gaps.extend(failures.map(|failure| named("quota categories of families", failure)));
        kept.value
    }

    /// Starts listing the location's sizes if that is due, beside the read.
    fn start_sizes(&self, location: &Location) -> Option<UnderWay> {
        location.sizes.start(|| {
            let (client, families) = (Arc::clone(&self.client), Arc::clone(&self.families));
            let location = location.name.clone();
            async move {
                let list = client.sizes(&location).await?;
                families.learn(&list);
                Ok(list)
            }
        })
    }

    /// Returns why the list of sizes is missing or old.
    fn gaps_of_sizes(&self, location: &Location, is_missing: bool) -> Vec<Failure> {
        let name = &location.name;
        let failures = location.sizes.failures();
        if failures.is_empty() && is_missing {
            let detail = format!("the sizes of {name} are still being listed");
            return vec![Failure::new(FailureKind::Timeout, detail)];
        }
        let failures = failures.into_iter();
        failures
            .map(|failure| named(&format!("sizes of {name}"), failure))
            .collect()
    }

    /// Says more about a location that cannot be read.
    fn explained(&self, location: &Region, failure: Failure) -> Failure {
        let meant = locations::closest(self.cloud, location);
        match meant.filter(|_| failure.kind == FailureKind::NotEnabled) {
            Some(meant) => failure.with_hint(format!("did you mean `{meant}`?")),
            None => failure,
        }
    }
}

/// Whether the subscription has quota categories, which only then have to be asked for.
fn has_categories(rows: &[Sent<UsageRow>]) -> bool {
    let mut rows = rows.iter();
    rows.any(|row| names::is_category(&row.value.name.value))
}

/// Waits for a list as long as nobody waits for the read: a first background read is worth more
/// with its restrictions.
async fn wait_a_little(list: UnderWay, soon: &CallContext) {
    let mut urgency = soon.urgency.subscribe();
    if soon.urgency.priority() < Priority::Background {
        return;
    }
    tokio::select! {
        () = list => {}
        _ = urgency.changed() => {}
        () = sleep_until(Instant::from_std(soon.deadline)) => {}
    }
}

impl QuotaSource for AzureSource {
    fn units(&self) -> Vec<FetchUnit> {
        let units = self.locations.iter();
        units
            .map(|(id, location)| FetchUnit {
                id: id.clone(),
                coverage: Coverage::Region(location.name.clone()),
            })
            .collect()
    }

    fn fetch<'a>(
        &'a self,
        unit: &'a UnitId,
        wanted: &'a Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        async move {
            let location = self.location(unit)?;
            let read = match wanted {
                Wanted::All => self.read(location, context).await,
                Wanted::Only(rows) => self.read_only(location, rows, context).await,
            };
            read.map_err(|failure| self.explained(&location.name, failure))
        }
        .boxed()
    }

    fn probe_permissions<'a>(
        &'a self,
        unit: &'a UnitId,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Vec<Failure>> {
        async move {
            let Some(location) = self.locations.get(unit) else {
                return Vec::new();
            };
            if let Some(under_way) = self.start_sizes(location) {
                under_way.await;
            }
            self.gaps_of_sizes(location, false)
        }
        .boxed()
    }

    fn demand(&self, instance: &Instance, market: Market, snapshot: &Snapshot) -> Demand {
        demand::demand(&self.families, instance, market, snapshot)
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Snapshot
    }

    fn demand_fingerprint(&self, snapshot: &Snapshot) -> Option<u64> {
        Some(demand::fingerprint(&self.families, snapshot))
    }
}
