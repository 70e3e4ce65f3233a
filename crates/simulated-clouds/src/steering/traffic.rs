//! Calls as they are counted, and the failures that were ordered for them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Controls, Rule, Simulation};

/// The calls of a simulated cloud and the rules by which they fail.
#[derive(Debug)]
pub struct Traffic<M, F> {
    rules: Vec<Rule<M, F>>,
    calls: BTreeMap<(M, String), u64>,
    under_way: BTreeMap<M, Concurrency>,
    throttled: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Concurrency {
    now: u32,
    most: u32,
}

/// Calls of one method about one thing.
#[derive(Clone, Debug, Serialize)]
pub struct CallCount<M> {
    method: M,
    name: String,
    calls: u64,
}

impl<M, F> Default for Traffic<M, F> {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            calls: BTreeMap::new(),
            under_way: BTreeMap::new(),
            throttled: 0,
        }
    }
}

impl<M: Copy + Ord, F: Clone> Traffic<M, F> {
    pub(crate) fn count_throttled(&mut self) {
        self.throttled += 1;
    }

    pub(super) fn inject(&mut self, rule: Rule<M, F>) {
        self.rules.push(rule);
    }

    pub(super) fn clear_faults(&mut self) {
        self.rules.clear();
    }

    pub(super) fn calls(&self, method: M) -> u64 {
        let calls = self.calls.iter();
        calls
            .filter(|((called, _), _)| *called == method)
            .map(|(_, count)| count)
            .sum()
    }

    pub(super) fn calls_about(&self, method: M, name: &str) -> u64 {
        let key = (method, name.to_owned());
        self.calls.get(&key).copied().unwrap_or(0)
    }

    /// Returns every count there is.
    pub(super) fn counts(&self) -> Vec<CallCount<M>> {
        let calls = self.calls.iter();
        calls
            .map(|((method, name), calls)| CallCount {
                method: *method,
                name: name.clone(),
                calls: *calls,
            })
            .collect()
    }

    pub(super) fn most_concurrent(&self, method: M) -> u32 {
        self.under_way.get(&method).map_or(0, |calls| calls.most)
    }

    pub(super) fn throttled(&self) -> u64 {
        self.throttled
    }

    /// Forgets all calls but those under way.
    pub(super) fn reset(&mut self) {
        self.calls.clear();
        self.throttled = 0;
        for calls in self.under_way.values_mut() {
            calls.most = calls.now;
        }
    }

    pub(super) fn begin(&mut self, method: M, name: &str) {
        *self.calls.entry((method, name.to_owned())).or_default() += 1;
        let calls = self.under_way.entry(method).or_default();
        calls.now += 1;
        calls.most = calls.most.max(calls.now);
    }

    fn end(&mut self, method: M) {
        if let Some(calls) = self.under_way.get_mut(&method) {
            calls.now -= 1;
        }
    }

    /// Returns the fault of the first rule that strikes this call.
    pub(super) fn strike(&mut self, method: M, name: &str, is_later_page: bool) -> Option<F> {
        let mut rules = self.rules.iter_mut();
        rules.find_map(|rule| rule.strike(method, name, is_later_page))
    }
}

/// A call that is under way, until it is answered or its caller hangs up.
pub struct CallGuard<S: Simulation> {
    controls: Controls<S>,
    method: S::Method,
}

impl<S: Simulation> CallGuard<S> {
    pub(super) fn new(controls: Controls<S>, method: S::Method) -> Self {
        Self { controls, method }
    }
}

impl<S: Simulation> fmt::Debug for CallGuard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallGuard").finish_non_exhaustive()
    }
}

impl<S: Simulation> Drop for CallGuard<S> {
    fn drop(&mut self) {
        self.controls.state().traffic().end(self.method);
    }
}
