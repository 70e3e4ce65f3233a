//! What a cloud is: the trait that each cloud fulfils, and nothing of any one of them.

mod call;

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::model::{
    Demand, Failure, FetchUnit, Instance, Market, Reading, Region, Snapshot, UnitId,
};

pub use call::{CallContext, Priority, Urgency};

/// A connected cloud.
///
/// Every remote call inside goes through `upstream`, which alone retries and keeps to limits.
pub trait QuotaSource: Send + Sync + fmt::Debug {
    /// Which reads of the cloud cover the configured regions: one per region, or one for all.
    fn units(&self) -> Vec<FetchUnit>;

    /// Reads all quotas of a unit, for all regions that it covers.
    fn fetch<'a>(
        &'a self,
        unit: &'a UnitId,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>>;

    /// How long one read takes within the configured rate when nothing goes wrong, as far as that
    /// is known beforehand.
    fn estimated_duration(&self) -> Duration {
        Duration::ZERO
    }

    /// Tries what reading this unit may need and today did not: what is missing for another day.
    fn probe_permissions<'a>(
        &'a self,
        _unit: &'a UnitId,
        _context: &'a CallContext,
    ) -> BoxFuture<'a, Vec<Failure>> {
        async { Vec::new() }.boxed()
    }

    /// What is known of a region's quotas before it is read: how they are called, and no number.
    fn placeholder_quotas(&self, _region: &Region) -> Snapshot {
        Snapshot::default()
    }

    /// The quotas that launching `instance` draws from, without asking the cloud.
    ///
    /// A type's demand is worked out once for all regions. What was read of the cloud may change it,
    /// from the reading on that brought it home.
    fn demand(&self, instance: &Instance, market: Market) -> Demand;
}
