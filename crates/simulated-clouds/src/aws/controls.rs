//! The handle that changes and observes a simulated AWS while it runs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::accounts::{LaunchRefused, QuotaState};
use super::buckets::RateLimits;
use super::call_log::{Call, Filter};
use super::faults::Fault;
use super::settings::{Latency, ReportTiming, Settings};
use super::state::State;

/// Cheap to clone; all clones steer the same simulated AWS.
#[derive(Clone, Debug)]
pub struct Controls(Arc<Mutex<State>>);

/// The account, the region (not enabled counts as unknown) or the code is unknown here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchQuota {
    account: String,
    region: String,
    code: String,
}

impl fmt::Display for NoSuchQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            region,
            code,
        } = self;
        write!(f, "no quota {code} in region {region} of account {account}")
    }
}

impl std::error::Error for NoSuchQuota {}

impl Controls {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(State::new(settings))))
    }

    /// The state itself; a panic in another holder leaves it usable enough for a simulation.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        account: &str,
        region: &str,
        code: &str,
        change: impl FnOnce(&mut QuotaState) -> T,
    ) -> Result<T, NoSuchQuota> {
        let mut state = self.state();
        let quota = state
            .accounts
            .quota_mut(account, region, code)
            .ok_or_else(|| NoSuchQuota {
                account: account.to_owned(),
                region: region.to_owned(),
                code: code.to_owned(),
            })?;
        Ok(change(quota))
    }
}

/// Quotas. A code is unique over all services, so it alone names the quota.
impl Controls {
    /// Sets the applied value.
    pub fn set_limit(
        &self,
        account: &str,
        region: &str,
        code: &str,
        value: f64,
    ) -> Result<(), NoSuchQuota> {
        self.change(account, region, code, |state| state.applied = Some(value))
    }

    /// Leaves the quota without an applied value, as many have on AWS.
    pub fn remove_applied(
        &self,
        account: &str,
        region: &str,
        code: &str,
    ) -> Result<(), NoSuchQuota> {
        self.change(account, region, code, |state| state.applied = None)
    }

    /// Sets what is in use.
    pub fn set_usage(
        &self,
        account: &str,
        region: &str,
        code: &str,
        value: f64,
    ) -> Result<(), NoSuchQuota> {
        self.change(account, region, code, |state| state.usage = value)
    }

    /// Answers with this `ErrorReason` code in the place of a value, until it is `None` again.
    pub fn set_error_reason(
        &self,
        account: &str,
        region: &str,
        code: &str,
        error_code: Option<&str>,
    ) -> Result<(), NoSuchQuota> {
        self.change(account, region, code, |state| {
            state.error_reason = error_code.map(str::to_owned);
        })
    }

    /// Shows another name from now on, as AWS does when it rewords one.
    pub fn set_name(
        &self,
        account: &str,
        region: &str,
        code: &str,
        name: &str,
    ) -> Result<(), NoSuchQuota> {
        self.change(account, region, code, |state| {
            state.name = Some(name.to_owned());
        })
    }

    /// Takes this much of a quota, or says in EC2's words that it does not fit.
    pub fn launch(
        &self,
        account: &str,
        region: &str,
        code: &str,
        amount: f64,
    ) -> Result<Result<(), LaunchRefused>, NoSuchQuota> {
        self.change(account, region, code, |state| state.launch(code, amount))
    }

    /// Gives this much back.
    pub fn terminate(
        &self,
        account: &str,
        region: &str,
        code: &str,
        amount: f64,
    ) -> Result<(), NoSuchQuota> {
        self.change(account, region, code, |state| state.terminate(amount))
    }
}

/// Behaviour.
impl Controls {
    /// Adds a fault; where several fit a call, the oldest counts.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// The faults in force.
    pub fn faults(&self) -> Vec<Fault> {
        self.state().faults.all().to_vec()
    }

    /// Sets how long answers take.
    pub fn set_latency(&self, latency: Latency) {
        self.state().latency = latency;
    }

    /// Sets the life of reports, also of those there are.
    pub fn set_report_timing(&self, timing: ReportTiming) {
        self.state().report_timing = timing;
    }

    /// Sets the rate limits and fills all buckets.
    pub fn set_rate_limits(&self, limits: RateLimits) {
        let mut state = self.state();
        state.buckets.limits = limits;
        state.buckets.refill();
    }

    /// Switches the check of signatures.
    pub fn verify_signatures(&self, verify: bool) {
        self.state().verify_signatures = verify;
    }

    /// Ends all sessions of assumed roles, as if their time were over.
    pub fn expire_sessions(&self) {
        self.state().identities.expire_sessions(Instant::now());
    }
}

/// Observation.
impl Controls {
    /// How many calls came in, answered or not.
    pub fn calls(&self, filter: &Filter) -> u64 {
        let state = self.state();
        state
            .call_log
            .matching(filter)
            .map(|(_, counters)| counters.calls)
            .sum()
    }

    /// How many of them were throttled.
    pub fn throttled(&self, filter: &Filter) -> u64 {
        let state = self.state();
        state
            .call_log
            .matching(filter)
            .map(|(_, counters)| counters.throttled)
            .sum()
    }

    /// The most calls that were under way at the same time.
    pub fn max_concurrency(&self) -> u64 {
        self.state().call_log.most_in_flight()
    }

    /// The most that were under way for one account, region and operation among those that match.
    pub fn max_concurrency_of_one(&self, filter: &Filter) -> u64 {
        let state = self.state();
        state
            .call_log
            .matching(filter)
            .map(|(_, counters)| counters.most_in_flight)
            .max()
            .unwrap_or(0)
    }

    /// The calls so far, oldest first; a very long log loses its beginning.
    pub fn log(&self) -> Vec<Call> {
        self.state().call_log.log().cloned().collect()
    }

    /// Counts and logs from zero again.
    pub fn reset_counters(&self) {
        self.state().call_log.reset();
    }
}
