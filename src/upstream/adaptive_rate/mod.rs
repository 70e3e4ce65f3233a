//! The rate at which one operation is called: the configured rate as a hard limit, and an adaptive
//! rate below it that a throttling cloud lowers.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::settings::Rate;
use super::turns::{Division, Turns};
use crate::coordination::SharedRate;

/// Keeps calls within a rate, and slows down where the cloud asks for it.
///
/// The limiter alone guarantees that no more than burst + rate × time calls are sent. The factor is
/// additive increase, multiplicative decrease: while its factor is below one, calls are spaced
/// evenly instead of in bursts, because a cloud that has just throttled has no burst to give.
#[derive(Debug)]
pub(super) struct AdaptiveRate {
    /// The whole rate; what is used of it is in the fields below.
    whole: Rate,
    /// The turns that this replica takes with others, while they cannot share the rate.
    turns: Option<Turns>,
    interval: Duration,
    /// The time that an empty limiter takes to refill.
    filling: Duration,
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
    /// When the limiter will have refilled, by its own arithmetic (GCRA's theoretical arrival
    /// time). The limiter can only be asked by taking a token, so forecasts are made from this.
    refilled_at: Instant,
    factor: f64,
    /// When the last call was sent, or the cloud last throttled: spacing counts from here.
    last: Option<Instant>,
    /// Until when the cloud asked to be left alone.
    held_until: Option<Instant>,
}

/// Four seconds between calls at 4 a second: slow enough for the cloud's own bucket to refill, and
/// quick enough that a caller who waits ten seconds is served once the cloud answers again.
const SLOWEST_FACTOR: f64 = 1.0 / 16.0;

/// The increase of the factor for each answer: from one half, the full rate is back after ten answers.
const FASTER_BY: f64 = 0.05;

/// Once the rate is divided or shared again, all have noticed after so long, and what they have just
/// sent has arrived.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// A bound for arithmetic's sake; a cloud that allows less than a call an hour is not asked often.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);

/// A bound for arithmetic's sake; at most this many intervals fit into governor's nanoseconds.
const LARGEST_BURST: u32 = 1_000_000;

impl AdaptiveRate {
    pub(super) fn new(rate: Rate) -> Self {
        Self::within(rate, interval_of(rate), burst_of(rate))
    }

    fn within(whole: Rate, interval: Duration, burst: NonZeroU32) -> Self {
        let quota = Quota::with_period(interval)
            .expect("the interval is at least a nanosecond")
            .allow_burst(burst);
        let clock = TokioClock {
            epoch: Instant::now(),
        };
        Self {
            whole,
            turns: None,
            interval,
            filling: interval.saturating_mul(burst.get()),
            limiter: RateLimiter::direct_with_clock(quota, clock),
            clock,
            refilled_at: clock.epoch,
            factor: 1.0,
            last: None,
            held_until: None,
        }
    }

    /// Goes by its own share of the rate from now on, or by the whole again, beginning with an empty
    /// bucket in either case, and once what the others have just sent has arrived, and they know it
    /// too. `chance`, from 0 up to
    /// 1, stands in for the place of a replica that does not know its own.
    pub(super) fn divide(&mut self, division: Option<Division>, now: Instant, chance: f64) {
        if self.turns.is_some() == division.is_some() {
            return;
        }
        let whole = interval_of(self.whole);
        let turns = division.map(|division| Turns::new(division, whole, now, chance));
        let (interval, burst) = match &turns {
            // A little less than a turn, so that none is lost to a timer that was late.
            Some(turns) => (turns.period.mul_f64(0.8), NonZeroU32::MIN),
            None => (whole, burst_of(self.whole)),
        };
        self.refill(interval, burst);
        self.turns = turns;
        while self.limiter.check().is_ok() {}
        self.refilled_at = self.clock.epoch + self.filling;
        self.hold(now + whole.max(SETTLED_AFTER));
    }

    /// Begins with a full bucket of this size; the adaptive rate stays.
    fn refill(&mut self, interval: Duration, burst: NonZeroU32) {
        *self = Self {
            factor: self.factor,
            last: self.last,
            held_until: self.held_until,
            ..Self::within(self.whole, interval, burst)
        };
    }

    /// Whether no call was sent for so long that the bucket is full.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.turns.is_none() && self.refilled_at <= now
    }

    /// Returns the calls that may come at once.
    pub(super) fn burst(&self) -> u32 {
        burst_of(self.whole).get()
    }

    /// Counts as if so many calls had been sent then, at once, and none before.
    pub(super) fn count_anew(&mut self, sent: u32, then: Instant, now: Instant) {
        if self.turns.is_some() {
            return;
        }
        self.refill(self.interval, burst_of(self.whole));
        let come_back = (now - then).as_nanos() / self.interval.as_nanos();
        let come_back = u32::try_from(come_back).unwrap_or(u32::MAX);
        let missing = sent.saturating_sub(come_back).min(self.burst());
        for _ in 0..missing {
            // The bucket is full, so it has a token for each.
            let _ = self.limiter.check();
        }
        self.refilled_at = self.refilled_at.max(now) + self.interval.saturating_mul(missing);
    }

    /// Uses this share of the rate from now on, as all replicas together do.
    pub(super) fn adopt(&mut self, factor: f64) {
        self.factor = factor.clamp(SLOWEST_FACTOR, 1.0);
    }

    /// Returns the whole rate as all replicas together keep to it.
    pub(super) fn shared(&self) -> SharedRate {
        SharedRate {
            interval: interval_of(self.whole),
            burst: burst_of(self.whole).get(),
        }
    }

    /// Returns the share of the configured rate that is used now.
    pub(super) fn factor(&self) -> f64 {
        self.factor
    }

    /// Takes a token for one call that is sent now, or returns when to try again.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let ready_at = self.ready_at(now);
        if ready_at > now {
            return Err(ready_at);
        }
        if let Err(refusal) = self.limiter.check() {
            let then = self.clock.epoch + refusal.earliest_possible();
            self.refilled_at = self.refilled_at.max(then + self.filling - self.interval);
            return Err(then);
        }
        // Not `now`: the limiter has looked at the clock after it, and the forecast shall not be
        // earlier than the limiter allows.
        self.refilled_at = self.refilled_at.max(Instant::now()) + self.interval;
        self.last = Some(now);
        Ok(())
    }

    /// Returns when the next call can be sent, as far as is known beforehand.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let spaced = self.last.map(|last| last + self.spacing());
        let token = Some(self.token_at(0, now));
        let ready = token.max(spaced).max(self.held_until).unwrap_or(now);
        self.turns.as_ref().map_or(ready, |turns| turns.next(ready))
    }

    /// Returns the earliest that a call with this many others before it can be sent: by the
    /// limiter alone, since the adaptive rate may have recovered by then.
    pub(super) fn earliest_behind(&self, others: usize, now: Instant) -> Instant {
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let token = self.token_at(others, now);
        self.held_until.map_or(token, |then| then.max(token))
    }

    /// Returns when the limiter has a token left after so many others were taken.
    fn token_at(&self, others: u32, now: Instant) -> Instant {
        let taken = self.interval.saturating_mul(others.saturating_add(1));
        let refilled_at = self.refilled_at.max(now) + taken;
        refilled_at
            .checked_sub(self.filling)
            .map_or(now, |then| then.max(now))
    }

    /// Raises the rate a little, after an answer.
    pub(super) fn speed_up(&mut self) {
        self.factor = (self.factor + FASTER_BY).min(1.0);
    }

    /// Halves the rate, after a throttling answer.
    pub(super) fn slow_down(&mut self, now: Instant) {
        self.factor = (self.factor / 2.0).max(SLOWEST_FACTOR);
        self.last = Some(now);
    }

    /// Continues at half the rate or less, when the cloud answers again after a time without calls.
    pub(super) fn restart_slowly(&mut self, now: Instant) {
        self.factor = self.factor.min(0.5);
        self.last = Some(now);
    }

    /// Allows no call before `then`, at the cloud's request.
    pub(super) fn hold(&mut self, then: Instant) {
        self.held_until = self.held_until.max(Some(then));
    }

    fn spacing(&self) -> Duration {
        if self.factor < 1.0 {
            self.interval.div_f64(self.factor)
        } else {
            Duration::ZERO
        }
    }
}

/// Returns the time between calls.
fn interval_of(rate: Rate) -> Duration {
    Duration::try_from_secs_f64(1.0 / rate.per_second)
        .unwrap_or(LONGEST_INTERVAL)
        .clamp(Duration::from_nanos(1), LONGEST_INTERVAL)
}

/// Returns the calls that may come at once.
fn burst_of(rate: Rate) -> NonZeroU32 {
    let largest = LARGEST_BURST.try_into().expect("it is not zero");
    rate.burst.min(largest)
}

/// Governor's own clocks do not follow tokio's, which tests pause.
#[derive(Clone, Copy, Debug)]
struct TokioClock {
    epoch: Instant,
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }
}

#[cfg(test)]
mod tests;
