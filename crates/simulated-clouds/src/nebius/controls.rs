//! The handle by which a test or a demonstration steers a simulated Nebius and counts its calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::gate::{Buckets, RateLimit};
use super::tokens::Tokens;
use super::{Account, Settings};

/// A method of a simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) fault: Fault,
    method: Option<Method>,
    parent: Option<String>,
    only_later_pages: bool,
    left: Option<u32>,
}

impl Rule {
    /// Every call fails so, until the filters below narrow it.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            parent: None,
            only_later_pages: false,
            left: None,
        }
    }

    /// Only calls of this method.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only calls about this tenant or project.
    #[must_use]
    pub fn of(mut self, parent: &str) -> Self {
        self.parent = Some(parent.to_owned());
        self
    }

    /// Only pages after the first.
    #[must_use]
    pub fn after_first_page(mut self) -> Self {
        self.only_later_pages = true;
        self
    }

    /// Only this often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    fn strikes(&mut self, method: Method, parent: &str, page_token: &str) -> bool {
        let strikes = self.method.is_none_or(|only| only == method)
            && self.parent.as_deref().is_none_or(|only| only == parent)
            && !(self.only_later_pages && page_token.is_empty())
            && self.left != Some(0);
        if strikes {
            self.left = self.left.map(|left| left - 1);
        }
        strikes
    }
}

/// Steers a simulated Nebius; clones steer the same one.
#[derive(Clone, Debug)]
pub struct Controls(Arc<Mutex<State>>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) account: Account,
    pub(super) tokens: Tokens,
    pub(super) buckets: Buckets,
    rules: Vec<Rule>,
    calls: BTreeMap<Method, u64>,
    exchanges: u32,
    most_exchanges: u32,
}

impl Controls {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(State {
            account: settings.account,
            tokens: Tokens::new(settings.token_lifetime),
            buckets: Buckets::new(settings.rate_limit),
            rules: Vec::new(),
            calls: BTreeMap::new(),
            exchanges: 0,
            most_exchanges: 0,
        })))
    }

    /// Makes calls fail by this rule, after the rules that are there already.
    pub fn inject(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    /// Ends all failures.
    pub fn clear_faults(&self) {
        self.state().rules.clear();
    }

    /// Changes what is in the account.
    pub fn edit(&self, change: impl FnOnce(&mut Account)) {
        change(&mut self.state().account);
    }

    /// Makes every token that is out worthless.
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke_all();
    }

    /// A token as a person gets one by the cloud's command line.
    pub fn issue_token(&self) -> String {
        self.state().tokens.issue().0
    }

    /// How long tokens live from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state().tokens.set_lifetime(lifetime);
    }

    /// Whether the service account's public key is registered, as it is at first.
    pub fn register_key(&self, registered: bool) {
        self.state().tokens.register_key(registered);
    }

    /// How many calls each method accepts from now on.
    pub fn set_rate_limit(&self, rate_limit: RateLimit) {
        self.state().buckets = Buckets::new(rate_limit);
    }

    /// Returns how often a method has been called, failures included.
    pub fn calls(&self, method: Method) -> u64 {
        self.state().calls.get(&method).copied().unwrap_or(0)
    }

    /// Starts counting calls from zero.
    pub fn reset_calls(&self) {
        self.state().calls.clear();
    }

    /// The most token exchanges that were under way at once.
    pub fn most_concurrent_exchanges(&self) -> u32 {
        self.state().most_exchanges
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics while it edits the account shall not hide its own message.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn count(&mut self, method: Method) {
        *self.calls.entry(method).or_default() += 1;
    }

    /// The fault of the first rule that strikes this call.
    pub(super) fn strike(
        &mut self,
        method: Method,
        parent: &str,
        page_token: &str,
    ) -> Option<Fault> {
        let rule = self
            .rules
            .iter_mut()
            .find_map(|rule| rule.strikes(method, parent, page_token).then_some(rule));
        rule.map(|rule| rule.fault)
    }
}

/// A token exchange that is under way.
pub(super) struct Exchange(Controls);

impl Exchange {
    pub(super) fn start(controls: &Controls) -> Self {
        let mut state = controls.state();
        state.exchanges += 1;
        state.most_exchanges = state.most_exchanges.max(state.exchanges);
        drop(state);
        Self(controls.clone())
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.state().exchanges -= 1;
    }
}
