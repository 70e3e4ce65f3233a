//! Taking, committing, renewing and releasing leases.

use std::time::Duration;

use crate::model::{BackendName, Commitment, Lease, Moment, Region, RequestKey, UnitId};
use crate::oracle::offers::{Assessed, Assessment, CustomOffer, Launch};
use crate::oracle::quotas::QuotaError;
use crate::oracle::state::{Oracle, OracleState};

use super::book::StoreAway;
use super::book_state::Untaken;
use super::new_lease::NewLease;

/// A lease that somebody wants to take.
#[derive(Clone, Debug)]
pub struct LeaseWish<'a> {
    /// The offer to launch.
    pub offer: CustomOffer<'a>,
    /// The number of instances.
    pub count: u32,
    /// For how long.
    pub ttl: Duration,
    /// The key by which a repeated request gets the same lease.
    pub request: Option<RequestKey>,
}

/// The reason why a lease was not granted.
#[derive(Clone, Debug)]
pub enum LeaseRefusal {
    /// There is no such backend.
    UnknownBackend(QuotaError),
    /// The launch does not fit, or the cloud refuses it anyway.
    Refused(Box<Assessment>),
    /// As many leases live as may.
    TooMany,
    /// The idempotency key was used for another request.
    KeyReused,
    /// The store that replicas share is away, and leases are refused meanwhile.
    StoreAway,
}

impl Oracle {
    /// Takes a lease on what a launch draws from, all or nothing, as it is known now.
    pub async fn take_lease(&self, wish: LeaseWish<'_>) -> Result<Lease, LeaseRefusal> {
        let oracle = &*self.0;
        let backend = oracle
            .backend(wish.offer.backend)
            .map_err(LeaseRefusal::UnknownBackend)?;
        match Launch::new(oracle, backend, &wish.offer, wish.count) {
            Ok(launch) => {
                let (assessed, lease) = launch.judge_and_take(Some(wish.ttl), wish.request).await?;
                launch.count(&assessed);
                lease.ok_or_else(|| LeaseRefusal::Refused(Box::new(assessed.assessment)))
            }
            Err(_) => {
                let LeaseWish {
                    offer,
                    count,
                    ttl,
                    request,
                } = wish;
                let name = &backend.backend.name;
                take_unbacked(oracle, name, &offer, count, ttl, request).await
            }
        }
    }

    /// Returns the leases of the backends that the caller sees, the oldest first.
    pub fn leases(&self, sees: impl Fn(&BackendName) -> bool) -> Vec<Lease> {
        self.0.leases.leases(sees)
    }

    /// Notes that the launch of a lease has happened; nothing if the caller sees no such lease.
    pub async fn commit_lease(
        &self,
        id: &str,
        sees: impl Fn(&BackendName) -> bool,
    ) -> Result<Option<Lease>, StoreAway> {
        let usable_for = self.0.settings.lifetimes.stale_for;
        let change = |lease: &Lease, now: Moment| {
            let backend = self.0.backends.get(&lease.backend);
            let delay = backend.map(|backend| backend.backend.settings.usage_delay());
            let shown_from = now.plus(delay.unwrap_or_default());
            let commitment = Commitment {
                at: now,
                shown_from,
            };
            // No verdict rests on a usage that is older than this.
            lease.committed(commitment, shown_from.plus(usable_for))
        };
        self.0.leases.change(id, sees, change).await
    }

    /// Lets a lease live for `ttl` from now on; nothing if the caller sees no such lease.
    pub async fn renew_lease(
        &self,
        id: &str,
        ttl: Duration,
        sees: impl Fn(&BackendName) -> bool,
    ) -> Result<Option<Lease>, StoreAway> {
        let change = |lease: &Lease, now: Moment| lease.renewed(now.plus(ttl));
        self.0.leases.change(id, sees, change).await
    }

    /// Ends a lease; nothing if the caller sees no such lease.
    pub async fn release_lease(
        &self,
        id: &str,
        sees: impl Fn(&BackendName) -> bool,
    ) -> Result<Option<Lease>, StoreAway> {
        self.0.leases.release(id, sees).await
    }
}

impl Launch<'_> {
    /// Judges the launch as it is known now and, with a `ttl`, takes the lease that the verdict
    /// allows, in one step.
    pub(in crate::oracle) async fn judge_and_take(
        &self,
        ttl: Option<Duration>,
        request: Option<RequestKey>,
    ) -> Result<(Assessed, Option<Lease>), LeaseRefusal> {
        let book = &self.unit.context.leases;
        let backend = &self.unit.key.backend;
        let taken = book.take(backend, request, ttl.is_some(), |held, now, own| {
            let view = self.view();
            let observed_at = |row: &_| view.observed_at(row);
            let assessed = self.assess(&view, |rows| {
                held.leased(&self.region, rows, observed_at, now, own)
            });
            let holds = ttl.and_then(|ttl| Some((ttl, assessed.holds(self)?)));
            let new = holds.map(|(ttl, holds)| NewLease {
                unit: self.unit.key.unit.clone(),
                region: self.region.clone(),
                instance_type: self.instance.instance_type.clone(),
                market: self.market,
                count: self.count,
                backed: assessed.fits(),
                holds,
                ttl,
            });
            (assessed, new)
        });
        taken.await.map_err(Into::into)
    }
}

/// Takes a lease at a place that nobody knows: it holds nothing.
pub(in crate::oracle) async fn take_unbacked(
    oracle: &OracleState,
    backend: &BackendName,
    offer: &CustomOffer<'_>,
    count: u32,
    ttl: Duration,
    request: Option<RequestKey>,
) -> Result<Lease, LeaseRefusal> {
    let new = || NewLease {
        unit: UnitId::from(""),
        region: Region::from(offer.region),
        instance_type: offer.instance_type.into(),
        market: offer.market,
        count: count.max(1),
        backed: false,
        holds: Vec::new(),
        ttl,
    };
    let taken = oracle
        .leases
        .take(backend, request, true, |_, _, _| ((), Some(new())));
    let ((), lease) = taken.await?;
    lease.ok_or(LeaseRefusal::TooMany)
}

impl From<Untaken> for LeaseRefusal {
    fn from(untaken: Untaken) -> Self {
        match untaken {
            Untaken::TooMany => Self::TooMany,
            Untaken::KeyReused => Self::KeyReused,
            Untaken::StoreAway => Self::StoreAway,
        }
    }
}
