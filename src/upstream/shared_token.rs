//! A token of the rate of all replicas together.

use super::breaker::Outcome;
use super::settings::BreakerPolicy;
use super::shared::Replicas;
use crate::coordination::{CallEnd, RateScope, SharedPolicy, StoreTime};

/// A token of the rate of all replicas together, which its call has taken.
#[derive(Debug)]
pub(super) struct SharedToken {
    pub(super) scope: RateScope,
    pub(super) is_probe: bool,
    pub(super) is_troubled: bool,
    pub(super) taken_at: StoreTime,
}

impl SharedToken {
    /// Reports the outcome of the call, where that is news to the other replicas.
    pub(super) fn report(self, replicas: &Replicas, policy: BreakerPolicy, outcome: Outcome<'_>) {
        let result = match outcome {
            Outcome::Answered if !self.is_troubled && !self.is_probe => return,
            Outcome::Answered => Some(Ok(())),
            Outcome::Failed(failure) => Some(Err(failure.clone())),
            Outcome::Unknown if !self.is_probe => return,
            Outcome::Unknown => None,
        };
        let policy = SharedPolicy {
            throttles: policy.throttles,
            outages: policy.outages,
            first_period: policy.first_period,
            longest_period: policy.longest_period,
        };
        let end = CallEnd {
            result,
            is_probe: self.is_probe,
            sent_at: self.taken_at,
        };
        replicas.rates.report(&self.scope, policy, end);
    }
}
