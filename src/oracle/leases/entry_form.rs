//! The form of a lease in the ledger that replicas share.

use serde::{Deserialize, Serialize};

use crate::coordination::{LeaseEntry, StoreTime};
use crate::model::{Lease, Moment, RequestKey};
use crate::oracle::sharing::Sharing;

/// A lease as replicas share it; its times of day are the store's. A new field is optional.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SharedLease {
    pub(super) lease: Lease,
    /// The key of the request that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<RequestKey>,
    /// When it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<Moment>,
}

impl SharedLease {
    /// A lease that lives.
    pub(super) fn live(lease: &Lease, request: Option<&RequestKey>) -> Self {
        Self {
            lease: lease.clone(),
            request: request.cloned(),
            ended_at: None,
        }
    }

    /// A lease that has ended. It is kept for its key, and lest a replica that has not heard of its
    /// end takes it for one that a new ledger lacks.
    pub(super) fn ended(lease: &Lease, request: Option<RequestKey>, now: Moment) -> Self {
        Self {
            lease: lease.clone(),
            request,
            ended_at: Some(now),
        }
    }

    /// When it may be forgotten.
    fn ends(&self) -> Moment {
        match (&self.request, self.ended_at) {
            (None, _) => self.lease.expires_at,
            (Some(_), end) => {
                let end = end.unwrap_or(self.lease.expires_at);
                end.plus(RequestKey::KEPT_AFTER_THE_END)
            }
        }
    }

    fn map_moments(mut self, map: impl Fn(Moment) -> Moment) -> Self {
        self.ended_at = self.ended_at.map(&map);
        self.lease.restore_moments(map);
        self
    }
}

/// Returns the entry of a lease.
pub(super) fn encode(lease: &SharedLease, sharing: &Sharing) -> LeaseEntry {
    let ends = sharing.status().time(lease.ends());
    let stored = lease
        .clone()
        .map_moments(|moment| sharing.as_stored(moment));
    LeaseEntry {
        id: lease.lease.id.to_string(),
        ends,
        lease: serde_json::to_string(&stored).unwrap_or_default(),
    }
}

/// Returns the lease of an entry; nothing if this release cannot read it.
pub(super) fn decode(text: &str, sharing: &Sharing) -> Option<SharedLease> {
    let stored: SharedLease = serde_json::from_str(text).ok()?;
    let status = sharing.status();
    let restored = |moment: Moment| status.moment(StoreTime::of(moment.wall));
    Some(stored.map_moments(restored))
}
