//! A bound on the calls that one process has in flight, shared by the clients of all backends.
//!
//! Without it, a cold start of many accounts sends thousands of calls at once, which then time out
//! for want of CPU. A slot goes to the most urgent caller; among equals, to the backend with the
//! fewest slots, and among those to the one that was served longest ago. So while others wait, a
//! backend gets no slot beyond its share. Nothing is taken away from a running call, but a call
//! gives its slot back early once it has been unanswered for a while: a cloud that hangs must not
//! hold up the others.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::source::Priority;

/// Slots per CPU core. The bound has to satisfy both sides:
///
/// - Small enough that a full set is served well within one attempt's time-out of 5 s: a first
///   call costs about 3 ms of CPU, most of it the TLS handshake, so 128 calls take 0.4 s of a core
///   and still less than 4 s when other processes leave us only a tenth of it.
/// - Large enough that latency does not become the limit: at 150 ms an answer, 128 slots allow
///   850 calls a second, as many as a core can handle.
const SLOTS_PER_CORE: u32 = 128;

/// One slot in this many is left free by background calls, so that a caller who waits does not
/// have to wait for one of them to end.
const RESERVED_FOR_CALLERS: u32 = 8;

/// The slots for calls in flight; clones share them.
#[derive(Clone, Debug)]
pub(super) struct CallSlots(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    bound: u32,
    /// The bound for background calls.
    background_bound: u32,
    /// Held for one decision at a time. A limiter takes it while it holds its own lock, never the
    /// other way round.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shares: Vec<Share>,
    in_use: u32,
    /// Counts requests, in order of arrival.
    requests: u64,
    /// Counts granted slots.
    grants: u64,
}

/// One backend's slots and waiting requests.
#[derive(Debug, Default)]
struct Share {
    held: HashSet<RequestId>,
    waiting: BTreeMap<Rank, Arc<Notify>>,
    /// The number of its latest grant, which tells which backend was served longest ago.
    latest_grant: u64,
}

type RequestId = u64;
type Rank = (Priority, RequestId);

impl Default for CallSlots {
    /// As many slots as this machine's cores can serve.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let bound = SLOTS_PER_CORE.saturating_mul(cores);
        Self::new(NonZeroU32::new(bound).expect("there is at least one core"))
    }
}

impl CallSlots {
    pub(super) fn new(bound: NonZeroU32) -> Self {
        let bound = bound.get();
        Self(Arc::new(Pool {
            bound,
            background_bound: (bound - bound / RESERVED_FOR_CALLERS).max(1),
            state: Mutex::default(),
        }))
    }

    /// Adds a backend, whose calls get a fair share of the slots.
    pub(super) fn add_backend(&self) -> BackendSlots {
        let mut state = self.0.state.lock();
        state.shares.push(Share::default());
        BackendSlots {
            pool: Arc::clone(&self.0),
            share: state.shares.len() - 1,
        }
    }

    /// The slots in use and the requests that wait for one.
    #[cfg(test)]
    pub(super) fn usage(&self) -> (u32, usize) {
        let state = self.0.state.lock();
        let waiting = state.shares.iter().map(|share| share.waiting.len());
        (state.in_use, waiting.sum())
    }
}

/// The slots as one backend sees them; clones are the same backend.
#[derive(Clone, Debug)]
pub(super) struct BackendSlots {
    pool: Arc<Pool>,
    share: usize,
}

impl BackendSlots {
    /// Requests a slot; `notify` is notified when it is granted, unless that happens at once.
    pub(super) fn request(&self, priority: Priority, notify: &Arc<Notify>) -> Slot {
        let mut state = self.pool.state.lock();
        let id = state.requests;
        state.requests += 1;
        let share = &mut state.shares[self.share];
        share.waiting.insert((priority, id), Arc::clone(notify));
        self.pool.grant(&mut state);
        Slot {
            backend: self.clone(),
            rank: (priority, id),
        }
    }
}

/// A request for a slot, and the slot itself once it is granted. Dropped, it leaves the queue or
/// frees the slot.
#[derive(Debug)]
pub(super) struct Slot {
    backend: BackendSlots,
    rank: Rank,
}

impl Slot {
    /// Whether the slot is granted, to a caller who is now this urgent.
    pub(super) fn is_granted(&mut self, priority: Priority) -> bool {
        let BackendSlots { pool, share } = &self.backend;
        let mut state = pool.state.lock();
        let (before, id) = self.rank;
        self.rank = (priority, id);
        if before != priority
            && let Some(notify) = state.shares[*share].waiting.remove(&(before, id))
        {
            state.shares[*share].waiting.insert(self.rank, notify);
            pool.grant(&mut state);
        }
        state.shares[*share].held.contains(&id)
    }

    /// Frees the slot before the call has ended; doing so twice changes nothing.
    pub(super) fn release(&self) {
        let BackendSlots { pool, share } = &self.backend;
        let (_, id) = self.rank;
        let mut state = pool.state.lock();
        let share = &mut state.shares[*share];
        share.waiting.remove(&self.rank);
        if share.held.remove(&id) {
            state.in_use -= 1;
            pool.grant(&mut state);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.release();
    }
}

impl Pool {
    /// Grants free slots for as long as a waiting request may have one.
    fn grant(&self, state: &mut State) {
        while let Some((share, rank)) = self.next(state) {
            state.grants += 1;
            state.in_use += 1;
            let share = &mut state.shares[share];
            share.latest_grant = state.grants;
            share.held.insert(rank.1);
            if let Some(notify) = share.waiting.remove(&rank) {
                notify.notify_one();
            }
        }
    }

    /// The request that gets the next slot.
    fn next(&self, state: &State) -> Option<(usize, Rank)> {
        if state.in_use >= self.bound {
            return None;
        }
        let firsts = state
            .shares
            .iter()
            .enumerate()
            .filter_map(|(index, share)| {
                let (&rank, _) = share.waiting.first_key_value()?;
                let order = (rank.0, share.held.len(), share.latest_grant, rank.1);
                Some((order, index, rank))
            });
        let (_, share, rank) = firsts.min()?;
        let bound = match rank.0 {
            Priority::Verify | Priority::Request => self.bound,
            Priority::Background => self.background_bound,
        };
        (state.in_use < bound).then_some((share, rank))
    }
}
