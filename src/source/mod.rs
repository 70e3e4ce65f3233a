//! The trait that each cloud fulfils, and nothing of any one of them.

mod call;
mod wanted;

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::model::{
    Demand, Failure, FetchUnit, Instance, Market, QuotaKey, Reading, Region, Snapshot, UnitId,
};

pub use call::{CallContext, Priority, Urgency};
pub use wanted::{Need, QuotaRef, Verification, Wanted};

/// A connected cloud.
///
/// Every remote call inside goes through `upstream`, which alone retries and keeps to limits.
pub trait QuotaSource: Send + Sync + fmt::Debug {
    /// Returns the fetch units that together cover the configured regions.
    fn units(&self) -> Vec<FetchUnit>;

    /// Reads the wanted quotas of a unit, for all regions that it covers.
    ///
    /// A reading of [`Wanted::Only`] brings the rows that were asked for, each with its
    /// `observed_at`, and may bring others that came along.
    fn fetch<'a>(
        &'a self,
        unit: &'a UnitId,
        wanted: &'a Wanted,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>>;

    /// Reads the rows that launches wait for.
    ///
    /// A source may leave out usage that cannot change a verdict, and then says that its usage is
    /// incomplete.
    fn verify<'a>(
        &'a self,
        unit: &'a UnitId,
        wanted: &'a Verification,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        self.fetch(unit, &wanted.wanted, context)
    }

    /// Returns how long a full read takes within the configured rate when nothing goes wrong, as
    /// far as that is known beforehand.
    fn estimated_duration(&self) -> Duration {
        Duration::ZERO
    }

    /// Tries the calls that reading this unit may need another day and did not need today.
    fn probe_permissions<'a>(
        &'a self,
        _unit: &'a UnitId,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Vec<Failure>> {
        async { Vec::new() }.boxed()
    }

    /// Returns the names of a region's quotas, without numbers, as known before it is read.
    fn placeholder_quotas(&self, _region: &Region) -> Snapshot {
        Snapshot::default()
    }

    /// Returns the quotas that launching `instance` draws from, without asking the cloud.
    ///
    /// `snapshot` is what is known of the region, by which a demand may change: a GCP spot launch
    /// draws on the preemptible quota where one was granted. It may be looked at only with
    /// [`DemandScope::Snapshot`].
    fn demand(&self, instance: &Instance, market: Market, snapshot: &Snapshot) -> Demand;

    /// Returns a number that is another one for snapshots by which demands differ, so that demands
    /// are shared among all regions of the kind for which it is the same; nothing where each
    /// region has to be looked at by itself. It is asked for with [`DemandScope::Snapshot`].
    fn demand_fingerprint(&self, _snapshot: &Snapshot) -> Option<u64> {
        None
    }

    /// Returns the quotas of the spot launches of those instance families whose on-demand launches
    /// draw on this quota.
    ///
    /// Decided by codes: a cloud rewords the names of its quotas.
    fn spot_counterparts(&self, _on_demand: &QuotaKey) -> Vec<QuotaKey> {
        Vec::new()
    }

    /// Returns how far one demand of a type and market holds, which decides where it is shared.
    fn demand_scope(&self) -> DemandScope;
}

/// The extent over which the demand of a type and market is the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DemandScope {
    /// All backends of the kind whose settings have this fingerprint.
    Settings(u64),
    /// All regions of this backend, until the source counts another generation of what it learnt.
    Backend {
        /// The generation.
        generation: u64,
    },
    /// The region, as its snapshot is now.
    Snapshot,
}
