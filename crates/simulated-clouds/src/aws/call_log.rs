//! Counts calls and their concurrency, and keeps the latest.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

use super::error::ApiError;

/// The log forgets its oldest calls beyond this many, so that a long demo stays small.
const LOG_LENGTH: usize = 100_000;

/// Where a call belongs: rate limits and counters are kept for each of these.
///
/// Account and region are `unknown` where the request does not say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The account of the access key.
    pub account: String,
    /// The region of the credential scope.
    pub region: String,
    /// The operation in AWS's own spelling.
    pub operation: &'static str,
}

/// Which calls are meant; what is left out matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    account: Option<String>,
    region: Option<String>,
    operation: Option<String>,
}

impl Filter {
    /// All calls.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only those of this account.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Only those to this region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Only those of this operation, in AWS's own spelling.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    pub(super) fn new(
        account: Option<String>,
        region: Option<String>,
        operation: Option<String>,
    ) -> Self {
        Self {
            account,
            region,
            operation,
        }
    }

    pub(super) fn matches(&self, key: &CallKey) -> bool {
        let fits = |wanted: &Option<String>, actual: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == actual)
        };
        fits(&self.account, &key.account)
            && fits(&self.region, &key.region)
            && fits(&self.operation, key.operation)
    }
}

/// One call as it was met.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it arrived.
    pub at: Instant,
    /// Where it belongs.
    pub key: CallKey,
    /// `ok`, AWS's error code, or the fault that took its place.
    pub outcome: &'static str,
}

/// The counters of one key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: u64,
    pub(super) throttled: u64,
    pub(super) in_flight: u64,
    pub(super) most_in_flight: u64,
}

/// The counters of each key and the latest calls.
#[derive(Debug, Default)]
pub(super) struct CallLog {
    counters_by_key: BTreeMap<CallKey, Counters>,
    log: VecDeque<Call>,
    in_flight: u64,
    most_in_flight: u64,
}

impl CallLog {
    /// Notes a call that has arrived; `leave` must follow when it is done with.
    pub(super) fn enter(&mut self, call: Call) {
        let counters = self.counters_by_key.entry(call.key.clone()).or_default();
        counters.calls += 1;
        counters.throttled += u64::from(ApiError::is_throttling(call.outcome));
        counters.in_flight += 1;
        counters.most_in_flight = counters.most_in_flight.max(counters.in_flight);
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
        if self.log.len() == LOG_LENGTH {
            self.log.pop_front();
        }
        self.log.push_back(call);
    }

    pub(super) fn leave(&mut self, key: &CallKey) {
        if let Some(counters) = self.counters_by_key.get_mut(key) {
            counters.in_flight -= 1;
        }
        self.in_flight -= 1;
    }

    /// Counts from zero again; calls under way stay counted as such.
    pub(super) fn reset(&mut self) {
        for counters in self.counters_by_key.values_mut() {
            *counters = Counters {
                in_flight: counters.in_flight,
                most_in_flight: counters.in_flight,
                ..Counters::default()
            };
        }
        self.most_in_flight = self.in_flight;
        self.log.clear();
    }

    pub(super) fn matching<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl Iterator<Item = (&'a CallKey, &'a Counters)> {
        self.counters_by_key
            .iter()
            .filter(|(key, counters)| counters.calls > 0 && filter.matches(key))
    }

    pub(super) fn most_in_flight(&self) -> u64 {
        self.most_in_flight
    }

    pub(super) fn log(&self) -> impl DoubleEndedIterator<Item = &Call> + ExactSizeIterator {
        self.log.iter()
    }
}
