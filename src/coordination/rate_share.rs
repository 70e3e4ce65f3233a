//! The rate of calls to one operation, shared by all replicas.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Away, StoreTime};
use crate::model::{BackendName, Failure, Region};

/// The rate of calls to one operation of an account in a region, for all replicas together: tokens,
/// the adaptive rate, and the circuit breaker with its probe.
pub trait RateShare: Send + Sync {
    /// Takes a token for one call, which is to be sent at once.
    fn take<'a>(
        &'a self,
        scope: &'a RateScope,
        rate: SharedRate,
        wish: TokenWish,
    ) -> BoxFuture<'a, Result<Turn, Away>>;

    /// Reports how a call has ended, where that matters to the others; never waits.
    fn report(&self, scope: &RateScope, policy: SharedPolicy, end: CallEnd);
}

/// The token that is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenWish {
    /// For a call that nobody waits for: one token is left for the others.
    pub is_background: bool,
    /// In place of one that was taken before and not used.
    pub returns_one: bool,
}

/// One operation in one region of one account: clouds count calls that way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateScope {
    /// The backend.
    pub backend: BackendName,
    /// The region.
    pub region: Region,
    /// The operation.
    pub operation: &'static str,
}

/// A sustained rate and the calls that may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedRate {
    /// The time between calls.
    pub interval: Duration,
    /// Calls at once after a pause.
    pub burst: u32,
}

/// When the shared circuit breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedPolicy {
    /// Throttling answers in a row that open it.
    pub throttles: u32,
    /// Calls in a row without an answer that open it.
    pub outages: u32,
    /// The period that it stays open at first; each failed probe doubles it.
    pub first_period: Duration,
    /// The longest that it stays open before the next probe.
    pub longest_period: Duration,
}

/// The answer to whoever wants to call.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// The call may be sent.
    Taken {
        /// As the one probe of an open circuit breaker.
        is_probe: bool,
        /// The share of the rate that is used now.
        factor: f64,
        /// Whether an answer is news, since calls have failed.
        is_troubled: bool,
        /// When the token was taken.
        at: StoreTime,
    },
    /// Not before so long.
    Wait(Duration),
    /// The circuit breaker is open for so long, because of this.
    Open(Duration, Failure),
}

/// The end of a call, as far as it says something about the cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct CallEnd {
    /// The failure, unless the cloud answered; nothing is known where this is absent.
    pub result: Option<Result<(), Failure>>,
    /// Whether it was the probe of an open circuit breaker.
    pub is_probe: bool,
    /// When its token was taken.
    pub sent_at: StoreTime,
}

/// A cloud that asks to be left alone for longer, longer than any caller waits, opens the circuit
/// breaker at once: whoever asks earlier may have to wait anew.
pub const LONG_PAUSE: Duration = Duration::from_secs(60);

/// The increase of the factor for each answer.
pub(super) const FASTER_BY: f64 = 0.05;

/// The least share of the rate.
pub(super) const SLOWEST_FACTOR: f64 = 1.0 / 16.0;

/// A probe of which nothing was heard for so long is lost with its replica.
pub(super) const PROBE_LASTS: Duration = Duration::from_secs(60);

/// While a probe is under way the others ask again so soon.
pub(super) const PROBE_POLL: Duration = Duration::from_millis(250);
