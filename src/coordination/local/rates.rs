//! The shared rate of one operation, as a store in memory has it.
//!
//! The arithmetic is that of `redis/scripts/take.lua` and `report.lua`.

use std::time::Duration;

use crate::coordination::rate_share::{
    FASTER_BY, LONG_PAUSE, PROBE_LASTS, PROBE_POLL, SLOWEST_FACTOR,
};
use crate::coordination::{CallEnd, SharedPolicy, SharedRate, StoreTime, TokenWish, Turn};
use crate::model::{Failure, FailureKind};

/// The shared rate of one operation.
#[derive(Debug)]
pub(super) struct Rate {
    /// GCRA's theoretical arrival time, in microseconds like all times here.
    arrival: i64,
    factor: f64,
    last: i64,
    held_until: i64,
    throttled_at: i64,
    throttles: u32,
    outages: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: i64,
    period: i64,
    probe_until: i64,
    cause: Failure,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            arrival: 0,
            factor: 1.0,
            last: 0,
            held_until: 0,
            throttled_at: 0,
            throttles: 0,
            outages: 0,
            open: None,
        }
    }
}

impl Rate {
    /// Takes a token from a bucket that was certainly empty at `empty_at`.
    pub(super) fn take(
        &mut self,
        rate: SharedRate,
        wish: TokenWish,
        empty_at: StoreTime,
        now: StoreTime,
    ) -> Turn {
        let at = now;
        let now = now.0;
        let mut is_probe = false;
        if let Some(open) = &self.open {
            if now < open.until {
                return Turn::Open(duration(open.until - now), open.cause.clone());
            }
            if now < open.probe_until {
                return Turn::Wait(duration(open.probe_until - now).min(PROBE_POLL));
            }
            is_probe = true;
        }
        let interval = micros(rate.interval);
        if wish.returns_one {
            self.arrival -= interval;
        }
        let spare = i64::from(wish.is_background && rate.burst > 1);
        let room = interval * (i64::from(rate.burst) - spare);
        let refilled = empty_at.0 + interval * i64::from(rate.burst);
        let arrival = self.arrival.max(refilled).max(now);
        let mut earliest = (arrival + interval - room).max(self.held_until);
        if self.factor < 1.0 {
            earliest = earliest.max(self.last + (interval as f64 / self.factor) as i64);
        }
        if earliest > now {
            return Turn::Wait(duration(earliest - now));
        }
        self.arrival = arrival + interval;
        self.last = now;
        if let Some(open) = &mut self.open {
            open.probe_until = now + micros(PROBE_LASTS);
        }
        Turn::Taken {
            is_probe,
            factor: self.factor,
            is_troubled: self.factor < 1.0 || self.throttles > 0 || self.outages > 0,
            at,
        }
    }

    pub(super) fn report(
        &mut self,
        policy: SharedPolicy,
        end: &CallEnd,
        now: StoreTime,
        chance: f64,
    ) {
        let now = now.0;
        match &end.result {
            Some(Ok(())) => self.answered(end.is_probe, now),
            Some(Err(failure)) => self.failed(policy, failure, end, now, chance),
            None if end.is_probe => self.reopen(now, chance),
            None => {}
        }
    }

    fn answered(&mut self, is_probe: bool, now: i64) {
        match &self.open {
            Some(_) if !is_probe => return,
            Some(_) => {
                self.open = None;
                self.factor = self.factor.min(0.5);
                self.last = now;
            }
            None => self.factor = (self.factor + FASTER_BY).min(1.0),
        }
        self.throttles = 0;
        self.outages = 0;
    }

    fn failed(
        &mut self,
        policy: SharedPolicy,
        failure: &Failure,
        end: &CallEnd,
        now: i64,
        chance: f64,
    ) {
        let asked = micros(failure.retry_after.unwrap_or_default());
        if asked > 0 {
            self.held_until = self.held_until.max(now + asked);
        }
        let is_throttled = failure.kind == FailureKind::Throttled;
        if is_throttled {
            // Calls that were in flight when the cloud last throttled tell no news.
            if end.sent_at.0 <= self.throttled_at {
                if end.is_probe {
                    self.reopen(now, chance);
                }
                return;
            }
            self.throttled_at = now;
            self.factor = (self.factor / 2.0).max(SLOWEST_FACTOR);
            self.last = now;
        }
        if let Some(open) = &self.open {
            if end.is_probe {
                let period = (open.period * 2).min(micros(policy.longest_period));
                self.open_for(period, asked, failure.clone(), now, chance);
            }
            return;
        }
        if is_throttled {
            self.throttles += 1;
            self.outages = 0;
        } else {
            self.outages += 1;
        }
        let is_told = is_throttled && asked > micros(LONG_PAUSE);
        if is_told || self.throttles >= policy.throttles || self.outages >= policy.outages {
            let period = micros(policy.first_period);
            self.open_for(period, asked, failure.clone(), now, chance);
        }
    }

    fn reopen(&mut self, now: i64, chance: f64) {
        if let Some(open) = &self.open {
            let (period, cause) = (open.period, open.cause.clone());
            self.open_for(period, 0, cause, now, chance);
        }
    }

    fn open_for(&mut self, period: i64, asked: i64, cause: Failure, now: i64, chance: f64) {
        let wait = (period as f64 * (0.9 + 0.2 * chance)) as i64;
        self.open = Some(Open {
            until: now + wait.max(asked),
            period,
            probe_until: 0,
            cause,
        });
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(micros.max(0).unsigned_abs())
}
