//! Idempotency keys: a request that is repeated gets the lease that the first one took.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Lease, LeaseId, Moment, RequestKey};

/// The most keys of ended leases: as many as leases may live, unless told otherwise.
const MOST_OF_ENDED: u64 = 20_000;

/// The keys that were used.
#[derive(Debug)]
pub(super) struct RequestKeys {
    of_live: HashMap<LeaseId, RequestKey>,
    live: HashMap<(String, String), LeaseId>,
    ended: moka::sync::Cache<(String, String), Arc<Ended>>,
}

#[derive(Debug)]
struct Ended {
    digest: String,
    lease: Lease,
    /// moka's own clock is not that of the service.
    forgotten_at: Moment,
}

/// The lease that a key was used for.
#[derive(Debug)]
pub(super) enum Used {
    /// It lives.
    Live(LeaseId),
    /// It has ended, and was this.
    Ended(Box<Lease>),
    /// The key was used for another request.
    Otherwise,
}

impl Default for RequestKeys {
    fn default() -> Self {
        Self {
            of_live: HashMap::new(),
            live: HashMap::new(),
            ended: moka::sync::Cache::new(MOST_OF_ENDED),
        }
    }
}

impl RequestKeys {
    /// Returns what a key was used for.
    pub(super) fn find(&self, request: &RequestKey, now: Moment) -> Option<Used> {
        let name = name(request);
        if let Some(id) = self.live.get(&name) {
            let same = self.of_live.get(id).map(|known| &known.digest) == Some(&request.digest);
            return Some(match same {
                true => Used::Live(id.clone()),
                false => Used::Otherwise,
            });
        }
        let ended = self.ended.get(&name)?;
        if !now.is_before(ended.forgotten_at) {
            return None;
        }
        Some(match ended.digest == request.digest {
            true => Used::Ended(Box::new(ended.lease.clone())),
            false => Used::Otherwise,
        })
    }

    /// Notes the key of a new lease.
    pub(super) fn insert(&mut self, request: RequestKey, id: LeaseId) {
        self.live.insert(name(&request), id.clone());
        self.of_live.insert(id, request);
    }

    /// Returns the key by which a lease was taken.
    pub(super) fn of(&self, id: &LeaseId) -> Option<&RequestKey> {
        self.of_live.get(id)
    }

    /// Notes that a lease has ended.
    pub(super) fn end(&mut self, lease: &Lease, now: Moment) {
        let Some(request) = self.of_live.remove(&lease.id) else {
            return;
        };
        self.live.remove(&name(&request));
        self.insert_ended(request, lease.clone(), now);
    }

    /// Notes the key of a lease that ended at this moment.
    pub(super) fn insert_ended(&mut self, request: RequestKey, lease: Lease, ended_at: Moment) {
        let name = name(&request);
        let ended = Ended {
            digest: request.digest,
            lease,
            forgotten_at: ended_at.plus(RequestKey::KEPT_AFTER_THE_END),
        };
        self.ended.insert(name, Arc::new(ended));
    }
}

fn name(request: &RequestKey) -> (String, String) {
    (request.caller.clone(), request.key.clone())
}
