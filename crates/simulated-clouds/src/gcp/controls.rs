//! The handle by which a test or a demonstration steers a simulated Google Cloud and counts its
//! calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use super::tokens::Tokens;
use super::windows::{WindowLimits, Windows};
use super::{Project, Settings};

/// A method of a simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The token service.
    ExchangeToken,
    /// The metadata server.
    MetadataToken,
    /// `compute.regions.list`.
    ListRegions,
    /// `compute.regions.get`.
    GetRegion,
    /// `compute.projects.get`.
    GetProject,
    /// `cloudquotas…quotaInfos.get`.
    GetQuotaInfo,
    /// `cloudquotas…quotaInfos.list`.
    ListQuotaInfos,
    /// `monitoring.projects.timeSeries.list`.
    ListTimeSeries,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// One call too many: 403 in Compute Engine, 429 elsewhere.
    Throttled,
    /// 403: the service is not enabled in the project.
    ServiceDisabled,
    /// 403: a permission is missing.
    PermissionDenied,
    /// 403: nobody pays for the project.
    BillingDisabled,
    /// 403: the caller may not use the quota project.
    UserProjectDenied,
    /// 401: the token has expired.
    TokenExpired,
    /// 503 with a reason.
    Unavailable,
    /// 502 in HTML, as front ends answer.
    BadGateway,
    /// 200 with a document that breaks off.
    CutDocument,
    /// 200 with a page of a proxy.
    ForeignPage,
    /// 400 of the token service: the key is not accepted.
    InvalidGrant,
    /// No answer, ever.
    Hang,
}

/// When to fail, and how.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) fault: Fault,
    method: Option<Method>,
    name: Option<String>,
    only_later_pages: bool,
    left: Option<u32>,
}

impl Rule {
    /// Every call fails so, until the filters below narrow it.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            name: None,
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

    /// Only calls about this region or quota.
    #[must_use]
    pub fn of(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
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

    fn strikes(&mut self, method: Method, name: &str, page_token: &str) -> bool {
        let strikes = self.method.is_none_or(|only| only == method)
            && self.name.as_deref().is_none_or(|only| only == name)
            && !(self.only_later_pages && page_token.is_empty())
            && self.left != Some(0);
        if strikes {
            self.left = self.left.map(|left| left - 1);
        }
        strikes
    }
}

/// Steers a simulated Google Cloud; clones steer the same one.
#[derive(Clone, Debug)]
pub struct Controls(Arc<Mutex<State>>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) project: Project,
    pub(super) tokens: Tokens,
    pub(super) windows: Windows,
    pub(super) page_size: usize,
    rules: Vec<Rule>,
    calls: BTreeMap<Method, u64>,
    throttled: u64,
    /// The wall clock when it started: time passes as it does for tokio, which tests may pause.
    started_at: Timestamp,
    started: Instant,
}

impl Controls {
    pub(super) fn new(settings: Settings, token_url: String) -> Self {
        Self(Arc::new(Mutex::new(State {
            project: settings.project,
            tokens: Tokens::new(settings.token_lifetime, token_url),
            windows: Windows::new(settings.limits),
            page_size: settings.page_size,
            rules: Vec::new(),
            calls: BTreeMap::new(),
            throttled: 0,
            started_at: Timestamp::now(),
            started: Instant::now(),
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

    /// Changes what is in the project.
    pub fn edit(&self, change: impl FnOnce(&mut Project)) {
        change(&mut self.state().project);
    }

    /// Makes every token that is out worthless.
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke_all();
    }

    /// A token as a person gets one by `gcloud auth print-access-token`.
    pub fn issue_token(&self) -> String {
        self.state().tokens.issue(false).0
    }

    /// Whether the service account's key is registered, as it is at first.
    pub fn register_key(&self, registered: bool) {
        self.state().tokens.register_key(registered);
    }

    /// Sets the calls that each group of methods accepts in a minute from now on.
    pub fn set_limits(&self, limits: WindowLimits) {
        self.state().windows = Windows::new(limits);
    }

    /// Returns how often a method has been called, failures included.
    pub fn calls(&self, method: Method) -> u64 {
        self.state().calls.get(&method).copied().unwrap_or(0)
    }

    /// Returns the calls that were refused because the minute's were used up.
    pub fn throttled(&self) -> u64 {
        self.state().throttled
    }

    /// Starts counting calls from zero.
    pub fn reset_calls(&self) {
        let mut state = self.state();
        state.calls.clear();
        state.throttled = 0;
    }

    /// The time by the simulated cloud's clock.
    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics while it edits the project shall not hide its own message.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn now(&self) -> Timestamp {
        let passed: Duration = self.started.elapsed();
        self.started_at
            .saturating_add(passed)
            .unwrap_or(self.started_at)
    }

    pub(super) fn count(&mut self, method: Method) {
        *self.calls.entry(method).or_default() += 1;
    }

    pub(super) fn count_throttled(&mut self) {
        self.throttled += 1;
    }

    /// The fault of the first rule that strikes this call.
    pub(super) fn strike(&mut self, method: Method, name: &str, page_token: &str) -> Option<Fault> {
        let rule = self
            .rules
            .iter_mut()
            .find_map(|rule| rule.strikes(method, name, page_token).then_some(rule));
        rule.map(|rule| rule.fault)
    }
}
