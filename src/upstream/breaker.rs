//! The circuit breaker: stops calls to an operation that fails again and again, and probes it later.
//! Pure decisions: time and chance are passed in.

use std::time::Duration;

use tokio::time::Instant;

use super::settings::BreakerPolicy;
use crate::coordination::LONG_PAUSE;
use crate::model::{Failure, FailureKind};

/// The circuit breaker of one operation in one region of one account.
#[derive(Debug)]
pub(super) struct Breaker {
    policy: BreakerPolicy,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Calls are sent; this many failed in a row.
    Closed { throttles: u32, outages: u32 },
    /// No call is sent until then.
    Open {
        until: Instant,
        period: Duration,
        cause: Failure,
    },
    /// One call is in flight to probe whether the cloud answers again.
    HalfOpen { period: Duration, cause: Failure },
}

/// The outcome of a call, as far as it says something about the cloud.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome<'a> {
    /// The cloud answered, if only with a refusal.
    Answered,
    /// The cloud throttled, or was not reached in time.
    Failed(&'a Failure),
    /// The call says nothing: the caller went away early, or this process was stalled.
    Unknown,
}

impl<'a, T> From<&'a Result<T, Failure>> for Outcome<'a> {
    fn from(result: &'a Result<T, Failure>) -> Self {
        match result {
            Err(failure) if failure.kind.is_transient() => Self::Failed(failure),
            Ok(_) | Err(_) => Self::Answered,
        }
    }
}

/// Whether a call may be sent.
#[derive(Debug, PartialEq)]
pub(super) enum Admission {
    /// It may.
    Free,
    /// It may, as the probe.
    Probe,
    /// It may not until the outcome of the probe is known.
    AfterProbe,
    /// It may not for so long, because of an earlier failure.
    Held(Duration, Failure),
}

/// A change of the breaker's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Opened(Duration),
    Closed,
}

impl Breaker {
    pub(super) fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            state: State::CLOSED,
        }
    }

    /// Whether a call may be sent now.
    pub(super) fn admission(&self, now: Instant) -> Admission {
        match &self.state {
            State::Closed { .. } => Admission::Free,
            State::Open { until, cause, .. } if *until > now => {
                Admission::Held(*until - now, cause.clone())
            }
            State::Open { .. } => Admission::Probe,
            State::HalfOpen { .. } => Admission::AfterProbe,
        }
    }

    /// Opens for so long because other replicas have met this.
    pub(super) fn adopt(&mut self, left: Duration, cause: Failure, now: Instant) {
        let until = now + left;
        let is_longer = match &self.state {
            State::Open { until: known, .. } => *known < until,
            State::Closed { .. } => true,
            State::HalfOpen { .. } => false,
        };
        if is_longer {
            self.state = State::Open {
                until,
                period: self.policy.first_period,
                cause,
            };
        }
    }

    /// Records that the probe is sent.
    pub(super) fn start_probe(&mut self) {
        if let State::Open { period, cause, .. } = &self.state {
            self.state = State::HalfOpen {
                period: *period,
                cause: cause.clone(),
            };
        }
    }

    /// Records the outcome of a call; `chance` is anything from 0 up to 1.
    pub(super) fn record(
        &mut self,
        probe: bool,
        outcome: Outcome<'_>,
        now: Instant,
        chance: f64,
    ) -> Option<Change> {
        match (&mut self.state, outcome) {
            (State::Closed { throttles, outages }, Outcome::Failed(failure)) => {
                if failure.kind == FailureKind::Throttled {
                    // A cloud that throttles is reached. The reverse does not hold, so a lost
                    // call does not end a row of throttling answers.
                    *throttles += 1;
                    *outages = 0;
                } else {
                    *outages += 1;
                }
                let is_told = failure.kind == FailureKind::Throttled
                    && failure.retry_after > Some(LONG_PAUSE);
                let enough = is_told
                    || *throttles >= self.policy.throttles
                    || *outages >= self.policy.outages;
                enough.then(|| self.open(self.policy.first_period, failure.clone(), now, chance))
            }
            (State::Closed { .. }, Outcome::Answered) => {
                self.state = State::CLOSED;
                None
            }
            (State::HalfOpen { .. }, Outcome::Answered) if probe => {
                self.state = State::CLOSED;
                Some(Change::Closed)
            }
            (State::HalfOpen { period, .. }, Outcome::Failed(failure)) if probe => {
                let period = period.saturating_mul(2).min(self.policy.longest_period);
                Some(self.open(period, failure.clone(), now, chance))
            }
            // The probe was sent, so this period has had its only one, whatever became of it.
            (State::HalfOpen { period, cause }, Outcome::Unknown) if probe => {
                let (period, cause) = (*period, cause.clone());
                Some(self.open(period, cause, now, chance))
            }
            // Calls that were in flight when it opened say nothing about the time since.
            (State::Open { .. } | State::HalfOpen { .. }, _) => None,
            (State::Closed { .. }, Outcome::Unknown) => None,
        }
    }

    fn open(&mut self, period: Duration, cause: Failure, now: Instant, chance: f64) -> Change {
        let asked = cause.retry_after.unwrap_or_default();
        // Up to a tenth sooner or later, so that the regions and operations of an account that
        // opened together do not all send their probes together.
        let wait = period.mul_f64(0.9 + 0.2 * chance).max(asked);
        self.state = State::Open {
            until: now + wait,
            period,
            cause,
        };
        Change::Opened(wait)
    }
}

impl State {
    const CLOSED: Self = Self::Closed {
        throttles: 0,
        outages: 0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance that leaves periods as they are.
    const EVEN: f64 = 0.5;

    fn failure(kind: FailureKind) -> Failure {
        Failure::new(kind, kind.as_str())
    }

    fn feed(breaker: &mut Breaker, now: Instant, kinds: &[FailureKind]) -> Vec<Option<Change>> {
        kinds
            .iter()
            .map(|&kind| {
                let result: Result<(), _> = Err(failure(kind));
                breaker.record(false, Outcome::from(&result), now, EVEN)
            })
            .collect()
    }

    fn opened(seconds: u64) -> Option<Change> {
        Some(Change::Opened(Duration::from_secs(seconds)))
    }

    #[test]
    fn three_throttles_or_five_outages_in_a_row_open_it() {
        use FailureKind::{Throttled, Timeout, Unavailable};
        let now = Instant::now();
        let mut breaker = Breaker::new(BreakerPolicy::default());
        let changes = feed(
            &mut breaker,
            now,
            &[Throttled, Timeout, Throttled, Throttled],
        );
        assert_eq!(changes, [None, None, None, opened(30)]);

        let mut breaker = Breaker::new(BreakerPolicy::default());
        let row = [Timeout, Unavailable, Timeout, Unavailable, Timeout];
        let changes = feed(&mut breaker, now, &row);
        assert_eq!(changes, [None, None, None, None, opened(30)]);
    }

    #[test]
    fn any_answer_ends_the_row() {
        use FailureKind::{Denied, Malformed, NotEnabled, NotFound, Throttled, Unavailable};
        let now = Instant::now();
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for answer in [Denied, NotEnabled, NotFound, Malformed] {
            let row = [Throttled, Throttled, answer, Unavailable, answer];
            assert_eq!(feed(&mut breaker, now, &row), [None; 5]);
        }
        let row = [
            Unavailable,
            Unavailable,
            Unavailable,
            Unavailable,
            Throttled,
        ];
        assert_eq!(feed(&mut breaker, now, &row), [None; 5]);
        assert_eq!(feed(&mut breaker, now, &[Unavailable; 4]), [None; 4]);
        assert_eq!(breaker.admission(now), Admission::Free);
    }

    #[test]
    fn each_failed_probe_doubles_the_period_up_to_the_longest() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(BreakerPolicy::default());
        let throttled = failure(FailureKind::Throttled);
        feed(&mut breaker, now, &[FailureKind::Throttled; 3]);
        for (this, next) in [(30, 60), (60, 120), (120, 240), (240, 300), (300, 300)] {
            now += Duration::from_secs(this - 1);
            let second = Duration::from_secs(1);
            assert_eq!(
                breaker.admission(now),
                Admission::Held(second, throttled.clone())
            );
            now += second;
            assert_eq!(breaker.admission(now), Admission::Probe);
            breaker.start_probe();
            assert_eq!(breaker.admission(now), Admission::AfterProbe);
            let change = breaker.record(true, Outcome::Failed(&throttled), now, EVEN);
            assert_eq!(change, opened(next));
        }
        now += Duration::from_secs(300);
        breaker.start_probe();
        let change = breaker.record(true, Outcome::Answered, now, EVEN);
        assert_eq!(change, Some(Change::Closed));
        assert_eq!(breaker.admission(now), Admission::Free);
    }

    #[test]
    fn an_abandoned_probe_was_still_this_periods_only_one() {
        let now = Instant::now();
        let mut breaker = Breaker::new(BreakerPolicy::default());
        feed(&mut breaker, now, &[FailureKind::Throttled; 3]);
        breaker.start_probe();
        let change = breaker.record(true, Outcome::Unknown, now, EVEN);
        assert_eq!(change, opened(30));
    }

    #[test]
    fn calls_that_were_under_way_when_it_opened_change_nothing() {
        let now = Instant::now();
        let mut breaker = Breaker::new(BreakerPolicy::default());
        feed(&mut breaker, now, &[FailureKind::Throttled; 3]);
        assert_eq!(breaker.record(false, Outcome::Answered, now, EVEN), None);
        assert!(matches!(breaker.admission(now), Admission::Held(..)));
        breaker.start_probe();
        assert_eq!(breaker.record(false, Outcome::Answered, now, EVEN), None);
        assert_eq!(breaker.admission(now), Admission::AfterProbe);
    }

    #[test]
    fn it_stays_open_as_long_as_the_cloud_asked() {
        let now = Instant::now();
        for (asked, wait) in [(10, 30), (600, 600)] {
            let throttled = failure(FailureKind::Throttled).retry_after(Duration::from_secs(asked));
            let mut breaker = Breaker::new(BreakerPolicy {
                throttles: 1,
                ..BreakerPolicy::default()
            });
            let change = breaker.record(false, Outcome::Failed(&throttled), now, EVEN);
            assert_eq!(change, opened(wait));
        }
    }

    #[test]
    fn one_answer_opens_it_if_the_cloud_asks_for_longer_than_it_would_stay_open() {
        let now = Instant::now();
        let throttled = |asked| {
            let failure = failure(FailureKind::Throttled);
            failure.retry_after(Duration::from_secs(asked))
        };
        let mut breaker = Breaker::new(BreakerPolicy::default());
        let change = breaker.record(false, Outcome::Failed(&throttled(30)), now, EVEN);
        assert_eq!(change, None);
        let change = breaker.record(false, Outcome::Failed(&throttled(1200)), now, EVEN);
        assert_eq!(change, opened(1200));
    }

    #[test]
    fn chance_moves_a_period_by_a_tenth() {
        let now = Instant::now();
        for (chance, seconds) in [(0.0, 27), (1.0, 33)] {
            let mut breaker = Breaker::new(BreakerPolicy::default());
            let Change::Opened(wait) = breaker.open(
                Duration::from_secs(30),
                failure(FailureKind::Timeout),
                now,
                chance,
            ) else {
                panic!("it opens");
            };
            assert_eq!(wait.as_secs_f64().round() as u64, seconds);
        }
    }
}
