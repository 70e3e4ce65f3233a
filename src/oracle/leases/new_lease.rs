//! Leases as they begin: granted now, or by an earlier process.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::model::{BackendName, Hold, Lease, LeaseId, Market, Moment, Region, UnitId};

/// A lease that is about to be granted.
#[derive(Debug)]
pub(super) struct NewLease {
    pub(super) unit: UnitId,
    pub(super) region: Region,
    pub(super) instance_type: Arc<str>,
    pub(super) market: Market,
    pub(super) count: u32,
    pub(super) backed: bool,
    pub(super) holds: Vec<Hold>,
    pub(super) ttl: Duration,
}

impl NewLease {
    /// Returns the lease, granted now.
    pub(super) fn granted(self, backend: BackendName, now: Moment) -> Lease {
        Lease {
            id: LeaseId::new(format!("{:032x}", rand::random::<u128>())),
            backend,
            unit: self.unit,
            region: self.region,
            instance_type: self.instance_type,
            market: self.market,
            count: self.count,
            backed: self.backed,
            created_at: now,
            expires_at: now.plus(self.ttl),
            commitment: None,
            holds: self.holds,
        }
    }
}

/// Gives the moments of a stored lease back what they are for this process. None is later than the
/// lease could have been told when it was granted or committed, whatever the wall clock did since.
pub(super) fn restore_moments(lease: &mut Lease, clock: &Clock) {
    let since = lease.commitment.map_or(lease.created_at, |known| known.at);
    let longest = |until: Timestamp| until.duration_since(since.wall).unsigned_abs();
    let now = clock.now();
    lease.restore_moments(|moment| {
        let wall = moment.wall;
        match wall > now.wall {
            true => {
                let left = wall.duration_since(now.wall).unsigned_abs();
                now.plus(left.min(longest(wall)))
            }
            false => clock.restore(wall),
        }
    });
}
