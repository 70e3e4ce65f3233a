//! Leases as they are sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::quotas::body::{ContainerBody, Number, time};
use crate::http::vocabulary::LeaseState;
use crate::model::{BackendName, Hold, Lease, Market};

/// Room that is held for a launch under way.
#[derive(Serialize, ToSchema)]
#[schema(as = Lease)]
pub(in crate::http) struct LeaseBody<'a> {
    /// Its identity.
    #[schema(example = "5f0c6d3c1c8e4d6f9a1b2c3d4e5f6071")]
    id: &'a str,
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The cloud's own region name.
    #[schema(example = "us-east-1")]
    region: &'a str,
    /// The cloud's name of the type.
    #[schema(example = "p5.48xlarge")]
    instance_type: &'a str,
    /// Whether spot instances are launched.
    spot: bool,
    /// Number of instances that are launched together.
    #[schema(value_type = u64, example = 1)]
    count: u32,
    /// `held`, or `committed` once the launch has happened.
    #[schema(value_type = LeaseState)]
    state: &'static str,
    /// Whether room is held for it; false where nobody knows whether there is any.
    backed: bool,
    /// When it was granted.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    created_at: String,
    /// When it ends by itself, at the latest.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    expires_at: String,
    /// The quotas that it holds, and the amount of each.
    holds: Vec<HoldBody<'a>>,
}

/// An amount that is held of one quota.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
struct HoldBody<'a> {
    /// The backend's name.
    #[schema(example = "aws")]
    backend: &'a str,
    /// The region; null where the quota is one for all.
    #[schema(example = "us-east-1")]
    region: Option<&'a str>,
    /// The cloud's service.
    #[schema(example = "ec2")]
    service: &'a str,
    /// The cloud's code.
    #[schema(example = "L-417A185B")]
    code: &'a str,
    /// Whose limit it is, where the cloud sets limits on several layers.
    container: Option<ContainerBody<'a>>,
    /// The amount of it, in the quota's unit.
    #[schema(value_type = f64, minimum = 0, example = 192)]
    amount: Number,
}

/// The leases that live.
#[derive(Serialize, ToSchema)]
#[schema(as = Leases)]
pub(in crate::http) struct LeasesBody<'a> {
    /// The oldest first.
    leases: Vec<LeaseBody<'a>>,
}

impl<'a> LeasesBody<'a> {
    pub(in crate::http) fn of(leases: &'a [Lease]) -> Self {
        Self {
            leases: leases.iter().map(LeaseBody::of).collect(),
        }
    }
}

impl<'a> LeaseBody<'a> {
    pub(in crate::http) fn of(lease: &'a Lease) -> Self {
        let hold = |hold| HoldBody::of(&lease.backend, hold);
        Self {
            id: lease.id.as_str(),
            backend: lease.backend.as_str(),
            region: lease.region.as_str(),
            instance_type: &lease.instance_type,
            spot: lease.market == Market::Spot,
            count: lease.count,
            state: state(lease),
            backed: lease.backed,
            created_at: time(lease.created_at.wall),
            expires_at: time(lease.expires_at.wall),
            holds: lease.holds.iter().map(hold).collect(),
        }
    }
}

impl<'a> HoldBody<'a> {
    fn of(backend: &'a BackendName, hold: &'a Hold) -> Self {
        let place = &hold.place;
        Self {
            backend: backend.as_str(),
            region: place.region.as_ref().map(|region| region.as_str()),
            service: &place.key.service,
            code: &place.key.code,
            container: place.container.as_ref().map(ContainerBody::of),
            amount: Number(hold.amount),
        }
    }
}

/// Returns the word for the state of a lease.
pub(super) fn state(lease: &Lease) -> &'static str {
    match lease.commitment {
        Some(_) => "committed",
        None => "held",
    }
}
