//! The methods and faults of a simulated Nebius, and what its controls have besides those of all
//! clouds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::steering::{self, IssuedTokens, Simulation, Traffic};

use super::gate::{Buckets, RateLimit};
use super::tokens::Tokens;
use super::{Account, Settings};

/// A method of a simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `TokenExchangeService/Exchange`.
    ExchangeToken,
    /// `TenantService/List`.
    ListTenants,
    /// `ProjectService/List`.
    ListProjects,
    /// `PlatformService/List`.
    ListPlatforms,
    /// `QuotaAllowanceService/List`.
    ListQuotas,
    /// `QuotaAllowanceService/GetByName`.
    GetQuota,
    /// `ResourceAdviceService/List`.
    ListAdvice,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// RESOURCE_EXHAUSTED with the detail `too_many_requests`.
    TooManyRequests,
    /// RESOURCE_EXHAUSTED without details.
    BareResourceExhausted,
    /// RESOURCE_EXHAUSTED with the detail `quota_failure`.
    QuotaFailure,
    /// RESOURCE_EXHAUSTED with the detail `not_enough_resources`.
    NotEnoughResources,
    /// PERMISSION_DENIED with its detail.
    PermissionDenied,
    /// UNAUTHENTICATED.
    Unauthenticated,
    /// UNAVAILABLE.
    Unavailable,
    /// UNIMPLEMENTED.
    Unimplemented,
    /// UNKNOWN in the words of a proxy that answered 522.
    ProxyFailure,
    /// No answer, ever.
    Hang,
    /// The right answer, this much later.
    Delay(Duration),
    /// The right page, followed by one whose token never changes.
    RepeatPageToken,
}

/// When to fail, and how.
pub type Rule = steering::Rule<Method, Fault>;

/// Steers a simulated Nebius; clones steer the same one.
pub type Controls = steering::Controls<State>;

/// The state of a simulated Nebius.
#[derive(Debug)]
pub struct State {
    pub(super) account: Account,
    pub(super) tokens: Tokens,
    pub(super) buckets: Buckets,
    pub(super) traffic: Traffic<Method, Fault>,
}

impl Simulation for State {
    type Method = Method;
    type Fault = Fault;
    type Contents = Account;
    type Owner = ();

    fn contents(&mut self) -> &mut Account {
        &mut self.account
    }

    fn traffic(&mut self) -> &mut Traffic<Method, Fault> {
        &mut self.traffic
    }

    fn tokens(&mut self) -> &mut IssuedTokens<()> {
        &mut self.tokens.issued
    }
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            account: settings.account,
            tokens: Tokens::new(settings.token_lifetime),
            buckets: Buckets::new(settings.rate_limit),
            traffic: Traffic::default(),
        }
    }
}

impl Controls {
    /// A token as a person gets one by the cloud's command line.
    pub fn issue_token(&self) -> String {
        self.state().tokens.issued.issue(()).0
    }

    /// Whether the service account's public key is registered, as it is at first.
    pub fn register_key(&self, registered: bool) {
        self.state().tokens.register_key(registered);
    }

    /// How many calls each method accepts from now on.
    pub fn set_rate_limit(&self, rate_limit: RateLimit) {
        self.state().buckets = Buckets::new(rate_limit);
    }
}
