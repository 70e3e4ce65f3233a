//! A small cloud of the tests' own: what a cloud has to bring, in six files that use nothing but
//! the public interface, and stories about it over HTTP.
//!
//! One read covers a whole project and tells its regions, one quota holds for all of them, spot
//! launches draw on a quota of their own where the project was granted one, and a list of types,
//! read hourly, says which of them cannot be launched. docs/adding-a-cloud.md walks through it.

mod client;
mod demand;
mod errors;
mod quotas;
mod settings;

mod simulated;
mod stories;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join, try_join_all};
use quota_oracle::clouds::kit::hourly::Hourly;
use quota_oracle::clouds::{
    CloudSettings, Connection, RegionChoice, Registration, SecretProblem, parse,
};
use quota_oracle::model::{
    AccountId, Coverage, Demand, Failure, FetchUnit, Incomplete, Instance, Market, Reading,
    Snapshot, UnitId,
};
use quota_oracle::source::{CallContext, DemandScope, QuotaRef, QuotaSource, Wanted};
use quota_oracle::upstream::RateLimit;

use client::Client;
use quotas::TypeRow;
use settings::Settings;

/// The cloud as it may be configured.
pub(crate) const REGISTRATION: Registration = Registration {
    kind: "fake",
    // Half of what the fake cloud documents, which leaves the rest to the project's other users.
    rate_limit: RateLimit {
        per_second: 5.0,
        burst: NonZeroU32::new(10).expect("10 is not zero"),
        concurrency: NonZeroU32::new(4).expect("4 is not zero"),
    },
    parse: parse::<Settings>,
};

/// The list of types changes a few times a month.
const TYPES_KNOWN_FOR: Duration = Duration::from_secs(3600);

impl CloudSettings for Settings {
    fn account_fields(&self) -> Vec<(&'static str, String)> {
        vec![("project", self.project.clone())]
    }

    fn check_secrets(&self, base: &Path) -> Result<(), SecretProblem> {
        let token = self.token.read_word(base);
        let key = self.token.key(&["token_file"], &["token"]);
        token.map_or_else(|error| Err(SecretProblem::at(key, error)), |_| Ok(()))
    }

    fn connect(
        &self,
        connection: Connection,
    ) -> BoxFuture<'_, Result<Arc<dyn QuotaSource>, Failure>> {
        let source = FakeSource {
            regions: connection.regions.clone(),
            client: Client::new(self.clone(), connection),
            types: Hourly::new(TYPES_KNOWN_FOR),
        };
        async { Ok(Arc::new(source) as Arc<dyn QuotaSource>) }.boxed()
    }
}

/// A connected project.
#[derive(Debug)]
struct FakeSource {
    regions: RegionChoice,
    client: Client,
    /// The second source: the types, of which some are restricted.
    types: Hourly<Vec<TypeRow>>,
}

impl FakeSource {
    /// Reads all that the cloud tells.
    async fn read(&self, context: &CallContext) -> Result<Reading, Failure> {
        let quotas = self.client.quotas(context);
        let types = self.types.get(|_| async {
            match self.client.types(context).await {
                Ok(types) => (Some(types), Vec::new()),
                Err(failure) => (None, vec![failure]),
            }
        });
        let (quotas, types) = join(quotas, types).await;
        let rows = quotas?;
        let regions = quotas::regions(&rows, &self.regions);
        Ok(Reading {
            account: Some(AccountId::new(self.client.project())),
            restrictions: quotas::restrictions(types.value.as_deref(), &regions),
            regions: quotas::snapshots(quotas::shown_in(&regions, &rows)),
            // Without the list of types the quotas are still worth having.
            gaps: types.failures,
            incomplete: Incomplete {
                restrictions: types.value.is_none(),
                ..Incomplete::default()
            },
            ..Reading::default()
        })
    }

    /// Reads these rows alone, with a call for each.
    async fn read_only(
        &self,
        rows: &BTreeSet<QuotaRef>,
        context: &CallContext,
    ) -> Result<Reading, Failure> {
        let reads = rows.iter().map(|QuotaRef { region, key }| async move {
            let row = self.client.quota(&key.code, region, context).await?;
            Ok((region.clone(), quotas::quota(&row)))
        });
        Ok(Reading {
            account: Some(AccountId::new(self.client.project())),
            regions: quotas::snapshots(try_join_all(reads).await?),
            ..Reading::default()
        })
    }
}

impl QuotaSource for FakeSource {
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
            Wanted::All => self.read(context).boxed(),
            Wanted::Only(rows) => self.read_only(rows, context).boxed(),
        }
    }

    fn demand(&self, instance: &Instance, market: Market, snapshot: &Snapshot) -> Demand {
        demand::demand(instance, market, snapshot)
    }

    fn demand_scope(&self) -> DemandScope {
        DemandScope::Snapshot
    }
}
