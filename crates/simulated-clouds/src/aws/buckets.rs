//! The rate limits of AWS: one token bucket for each account, region and operation.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::call_log::CallKey;

/// "Service Quotas API throttling", reference_limits in the Service Quotas user guide: requests
/// per second and burst, per account and region, not adjustable.
const DOCUMENTED: [(&str, f64, f64); 5] = [
    ("GetServiceQuota", 5.0, 5.0),
    ("GetAWSDefaultServiceQuota", 5.0, 5.0),
    ("ListServiceQuotas", 10.0, 10.0),
    ("ListAWSDefaultServiceQuotas", 10.0, 10.0),
    ("ListServices", 10.0, 10.0),
];

/// The guide says nothing about reports, so the lowest documented limit of a write and of a read
/// is assumed.
const ASSUMED: [(&str, f64, f64); 2] = [
    ("StartQuotaUtilizationReport", 1.0, 1.0),
    ("GetQuotaUtilizationReport", 5.0, 5.0),
];

/// A rate that is sustained, and what may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls per second in the long run.
    pub per_second: f64,
    /// The burst column of the documentation.
    pub burst: f64,
}

/// How the burst column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BurstReading {
    /// The bucket holds the burst: the strict reading, and the safe one to build against.
    WholeBucket,
    /// The bucket holds the burst on top of one second's rate.
    OnTopOfRate,
}

/// The limits of all operations; an operation without one is not limited.
#[derive(Clone, Debug)]
pub struct RateLimits {
    limits: BTreeMap<String, RateLimit>,
    /// How the burst column is read; the documentation leaves it open.
    pub reading: BurstReading,
}

impl RateLimits {
    /// As documented, read strictly.
    pub fn documented() -> Self {
        let limits = DOCUMENTED
            .into_iter()
            .chain(ASSUMED)
            .map(|(operation, per_second, burst)| {
                (operation.to_owned(), RateLimit { per_second, burst })
            })
            .collect();
        Self {
            limits,
            reading: BurstReading::WholeBucket,
        }
    }

    /// None at all.
    pub fn unlimited() -> Self {
        Self {
            limits: BTreeMap::new(),
            reading: BurstReading::WholeBucket,
        }
    }

    /// The same with another limit for one operation.
    #[must_use]
    pub fn with(mut self, operation: impl Into<String>, limit: RateLimit) -> Self {
        self.limits.insert(operation.into(), limit);
        self
    }

    fn capacity(&self, limit: RateLimit) -> f64 {
        match self.reading {
            BurstReading::WholeBucket => limit.burst,
            BurstReading::OnTopOfRate => limit.burst + limit.per_second,
        }
    }
}

/// After heavy throttling AWS was seen to refuse everything for ten to twenty minutes.
#[derive(Clone, Copy, Debug)]
pub struct Lockout {
    /// This many throttled calls of one account, region and operation …
    pub after: u32,
    /// … within this time …
    pub within: Duration,
    /// … close it for this long, counted from the last of them.
    pub lasts: Duration,
}

/// The levels of all buckets.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) limits: RateLimits,
    pub(super) lockout: Option<Lockout>,
    levels: HashMap<CallKey, Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
    refusals: Vec<Instant>,
    locked_until: Option<Instant>,
}

impl Buckets {
    pub(super) fn new(limits: RateLimits, lockout: Option<Lockout>) -> Self {
        Self {
            limits,
            lockout,
            levels: HashMap::new(),
        }
    }

    /// Fills every bucket and ends every lock-out.
    pub(super) fn refill(&mut self) {
        self.levels.clear();
    }

    /// Whether one more call is let through now.
    pub(super) fn admit(&mut self, key: &CallKey, now: Instant) -> bool {
        let Some(&limit) = self.limits.limits.get(key.operation) else {
            return true;
        };
        let capacity = self.limits.capacity(limit);
        let level = self.levels.entry(key.clone()).or_insert_with(|| Level {
            tokens: capacity,
            at: now,
            refusals: Vec::new(),
            locked_until: None,
        });
        let since = now.duration_since(level.at).as_secs_f64();
        level.tokens = (level.tokens + since * limit.per_second).min(capacity);
        level.at = now;
        if level.locked_until.is_some_and(|until| now < until) {
            return false;
        }
        if level.tokens >= 1.0 {
            level.tokens -= 1.0;
            return true;
        }
        if let Some(lockout) = self.lockout {
            level.refuse(lockout, now);
        }
        false
    }
}

impl Level {
    fn refuse(&mut self, lockout: Lockout, now: Instant) {
        self.refusals
            .retain(|at| now.duration_since(*at) < lockout.within);
        self.refusals.push(now);
        if self.refusals.len() >= lockout.after as usize {
            self.refusals.clear();
            self.locked_until = Some(now + lockout.lasts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(operation: &'static str) -> CallKey {
        CallKey {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            operation,
        }
    }

    fn admitted(buckets: &mut Buckets, key: &CallKey, now: Instant, calls: usize) -> usize {
        (0..calls).filter(|_| buckets.admit(key, now)).count()
    }

    #[test]
    fn a_bucket_lets_its_burst_through_and_then_the_rate() {
        let mut buckets = Buckets::new(RateLimits::documented(), None);
        let (key, start) = (key("GetServiceQuota"), Instant::now());
        assert_eq!(admitted(&mut buckets, &key, start, 20), 5);
        let later = start + Duration::from_millis(400);
        assert_eq!(admitted(&mut buckets, &key, later, 20), 2);
        let rested = start + Duration::from_hours(1);
        assert_eq!(admitted(&mut buckets, &key, rested, 20), 5);
    }

    #[test]
    fn the_lenient_reading_adds_one_second_to_the_burst() {
        let mut limits = RateLimits::documented();
        limits.reading = BurstReading::OnTopOfRate;
        let mut buckets = Buckets::new(limits, None);
        let key = key("ListServiceQuotas");
        assert_eq!(admitted(&mut buckets, &key, Instant::now(), 50), 20);
    }

    #[test]
    fn buckets_of_operations_and_regions_are_separate() {
        let mut buckets = Buckets::new(RateLimits::documented(), None);
        let (get, now) = (key("GetServiceQuota"), Instant::now());
        assert_eq!(admitted(&mut buckets, &get, now, 9), 5);
        assert!(buckets.admit(&key("ListServiceQuotas"), now));
        let elsewhere = CallKey {
            region: "eu-west-1".to_owned(),
            ..get
        };
        assert!(buckets.admit(&elsewhere, now));
    }

    #[test]
    fn a_lock_out_refuses_long_after_the_bucket_is_full_again() {
        let lockout = Lockout {
            after: 3,
            within: Duration::from_secs(10),
            lasts: Duration::from_mins(15),
        };
        let mut buckets = Buckets::new(RateLimits::documented(), Some(lockout));
        let (key, start) = (key("ListServiceQuotas"), Instant::now());
        assert_eq!(admitted(&mut buckets, &key, start, 13), 10);
        assert!(!buckets.admit(&key, start + Duration::from_mins(14)));
        assert!(buckets.admit(&key, start + Duration::from_mins(15)));
    }
}
