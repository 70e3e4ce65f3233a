//! Whether the store answers, and what its clock shows.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use jiff::SignedDuration;
use tokio::sync::watch;

use super::StoreTime;
use crate::clock::Clock;
use crate::model::Moment;

/// A wall clock that differs by more from the store's is worth a line in the log.
const NOTABLE_SKEW: SignedDuration = SignedDuration::from_secs(1);

/// Whether the store answers, and what its clock shows.
#[derive(Debug)]
pub struct StoreStatus {
    clock: Clock,
    state: watch::Sender<StoreState>,
    /// The same as in `state`, for whoever asks with every call.
    is_up: AtomicBool,
    /// The store's time when this process started, in microseconds.
    base: AtomicI64,
    replicas: AtomicU32,
    round_trips: AtomicU64,
    is_skewed: AtomicBool,
    /// From when on replicas share the rates again, by the store's clock; they agree on it when the
    /// store comes back, so that none goes by its own share any more while others share.
    share_from: AtomicI64,
    /// This replica's place among all, as the store last had it; negative before it has told.
    place: AtomicI64,
}

/// The state of the store, as a replica sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreState {
    /// Since when it is away, and why; nothing while it answers.
    pub away: Option<(Moment, String)>,
    /// Counts how often it has come back, the first time included.
    pub returns: u64,
}

impl StoreStatus {
    /// A store that has not answered yet.
    pub fn new(clock: Clock) -> Self {
        let now = clock.now();
        let away = Some((now, "it has not answered yet".to_owned()));
        let status = Self {
            clock,
            state: watch::Sender::new(StoreState { away, returns: 0 }),
            is_up: AtomicBool::new(false),
            base: AtomicI64::new(0),
            replicas: AtomicU32::new(1),
            round_trips: AtomicU64::new(0),
            is_skewed: AtomicBool::new(false),
            share_from: AtomicI64::new(0),
            place: AtomicI64::new(-1),
        };
        status.set_base(StoreTime::of(now.wall), now);
        status
    }

    /// Whether it answers.
    pub fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// Returns the clock of this replica.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns its state now, and each change from then on.
    pub fn subscribe(&self) -> watch::Receiver<StoreState> {
        self.state.subscribe()
    }

    /// Returns its state now.
    pub fn state(&self) -> StoreState {
        self.state.borrow().clone()
    }

    /// Notes that it answers, and that its clock showed `time` at `then`.
    pub(super) fn note_up(&self, time: StoreTime, then: Moment) {
        self.note_time(time, then);
        let changed = self.state.send_if_modified(|state| {
            let was_away = state.away.take().is_some();
            if was_away {
                state.returns += 1;
                self.is_up.store(true, Ordering::Release);
            }
            was_away
        });
        if changed {
            tracing::info!("the shared store answers: replicas share reads, rates and leases");
        }
    }

    /// Notes that it does not answer; told once until it does again.
    pub(super) fn note_away(&self, reason: &str) {
        let now = self.clock.now();
        let mut is_first = false;
        self.state.send_if_modified(|state| {
            let was_up = state.away.is_none();
            is_first = was_up || state.returns == 0;
            let reason = reason.to_owned();
            match &mut state.away {
                Some((_, known)) => *known = reason,
                None => state.away = Some((now, reason)),
            }
            self.is_up.store(false, Ordering::Release);
            was_up
        });
        if is_first {
            tracing::warn!(
                reason,
                "the shared store is away: going on from memory, within this replica's share of the rates"
            );
        }
    }

    /// Notes what its clock showed at `then`.
    pub(super) fn note_time(&self, time: StoreTime, then: Moment) {
        self.set_base(time, then);
        let skew = StoreTime::of(then.wall).since(time);
        let is_skewed = skew.abs() > NOTABLE_SKEW;
        if self.is_skewed.swap(is_skewed, Ordering::Relaxed) != is_skewed && is_skewed {
            let ahead_s = skew.as_secs_f64();
            tracing::warn!(
                ahead_s,
                "this machine's clock differs from the shared store's, which counts"
            );
        }
    }

    fn set_base(&self, time: StoreTime, then: Moment) {
        let base = time.0 - micros(then.since_start);
        self.base.store(base, Ordering::Release);
    }

    /// Returns the store's time at a moment of this process.
    pub fn time(&self, moment: Moment) -> StoreTime {
        StoreTime(
            self.base
                .load(Ordering::Acquire)
                .saturating_add(micros(moment.since_start)),
        )
    }

    /// Returns the store's time now.
    pub fn now(&self) -> StoreTime {
        self.time(self.clock.now())
    }

    /// Returns the moment of this process at a time of the store; its time of day is the store's,
    /// so that all replicas say the same.
    pub fn moment(&self, time: StoreTime) -> Moment {
        let since_start = time.0.saturating_sub(self.base.load(Ordering::Acquire));
        Moment {
            wall: time.wall(),
            since_start: SignedDuration::from_micros(since_start),
        }
    }

    /// Returns how many replicas there are, as far as is known.
    pub fn replicas(&self) -> u32 {
        self.replicas.load(Ordering::Relaxed)
    }

    /// Returns this replica's place among all, if the store has ever told.
    pub fn place(&self) -> Option<u32> {
        u32::try_from(self.place.load(Ordering::Relaxed)).ok()
    }

    pub(super) fn note_replicas(&self, replicas: u32, place: u32) {
        self.replicas.store(replicas, Ordering::Relaxed);
        self.place.store(place.into(), Ordering::Relaxed);
    }

    /// Whether replicas share the rates now.
    pub fn shares_rates(&self) -> bool {
        self.is_up() && self.now() >= self.share_from()
    }

    /// From when on replicas share the rates: before that, nothing of a rate is left over.
    pub(super) fn share_from(&self) -> StoreTime {
        StoreTime(self.share_from.load(Ordering::Acquire))
    }

    pub(super) fn note_share_from(&self, from: StoreTime) {
        self.share_from.store(from.0, Ordering::Release);
    }

    /// Returns how many commands have gone to the store and back.
    pub fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    pub(super) fn note_round_trip(&self) {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
