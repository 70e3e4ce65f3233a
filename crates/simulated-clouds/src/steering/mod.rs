//! The handle by which a test or a demonstration steers a simulated cloud and counts its calls:
//! what the controls of all clouds but AWS, which keeps many accounts, have in common.

mod http;
mod rules;
mod time;
mod tokens;
mod traffic;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use rules::Rule;
pub use tokens::{IssuedTokens, Standing};
pub use traffic::{CallCount, CallGuard, Traffic};

pub(crate) use http::{parsed, refuse, traffic_routes};
pub(crate) use time::SimulatedTime;

/// The state of a simulated cloud, as far as all of them have it.
pub trait Simulation: Send + 'static {
    /// The methods of its services.
    type Method: Copy + Ord + Send;
    /// The ways in which a call can fail.
    type Fault: Clone + Send;
    /// The content of the account.
    type Contents;
    /// The owner of a token.
    type Owner;

    /// Returns what is in the account.
    fn contents(&mut self) -> &mut Self::Contents;

    /// Returns the calls and the failures that were ordered.
    fn traffic(&mut self) -> &mut Traffic<Self::Method, Self::Fault>;

    /// Returns the tokens that are out.
    fn tokens(&mut self) -> &mut IssuedTokens<Self::Owner>;
}

/// Steers a simulated cloud; clones steer the same one.
pub struct Controls<S>(Arc<Mutex<S>>);

impl<S> Clone for Controls<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Controls<S> {
    /// Leaves out the state, which has tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls").finish_non_exhaustive()
    }
}

impl<S> Controls<S> {
    pub(crate) fn new(state: S) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        // A test that panics while it edits the account shall not hide its own message.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Simulation> Controls<S> {
    /// Makes calls fail by this rule, after the rules that are there already.
    pub fn inject(&self, rule: Rule<S::Method, S::Fault>) {
        self.state().traffic().inject(rule);
    }

    /// Ends all failures.
    pub fn clear_faults(&self) {
        self.state().traffic().clear_faults();
    }

    /// Changes what is in the account.
    pub fn edit(&self, change: impl FnOnce(&mut S::Contents)) {
        change(self.state().contents());
    }

    /// Makes every token that is out worthless.
    pub fn revoke_tokens(&self) {
        self.state().tokens().revoke_all();
    }

    /// The lifetime of tokens that are issued from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state().tokens().set_lifetime(lifetime);
    }

    /// Returns how often a method has been called, failures included.
    pub fn calls(&self, method: S::Method) -> u64 {
        self.state().traffic().calls(method)
    }

    /// Returns how often a method has been called about one region, project or quota.
    pub fn calls_about(&self, method: S::Method, name: &str) -> u64 {
        self.state().traffic().calls_about(method, name)
    }

    /// Returns the most calls of a method that were under way at once.
    pub fn most_concurrent(&self, method: S::Method) -> u32 {
        self.state().traffic().most_concurrent(method)
    }

    /// Returns the calls that were refused because there were too many.
    pub fn throttled(&self) -> u64 {
        self.state().traffic().throttled()
    }

    /// Starts counting calls from zero.
    pub fn reset_calls(&self) {
        self.state().traffic().reset();
    }

    /// Counts a call until the guard is dropped, and returns the fault that strikes it.
    pub(crate) fn begin(
        &self,
        method: S::Method,
        name: &str,
        is_later_page: bool,
    ) -> (CallGuard<S>, Option<S::Fault>) {
        let mut state = self.state();
        let traffic = state.traffic();
        traffic.begin(method, name);
        let fault = traffic.strike(method, name, is_later_page);
        drop(state);
        (CallGuard::new(self.clone(), method), fault)
    }
}
