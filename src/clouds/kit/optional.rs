//! Reads that may be left out, and the failures that then stand for them.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Failure, printable};
use crate::source::CallContext;

/// A second source may not keep the quotas waiting for longer, but long enough for the circuit
/// breaker to learn that it hangs.
pub(in crate::clouds) const OPTIONAL_TIMEOUT: Duration = Duration::from_secs(4);

/// Messages are a line or two; more would flood logs and answers.
const LONGEST_MESSAGE: usize = 500;

/// Returns the same context with a deadline for a read that may be left out.
pub(in crate::clouds) fn optional(context: &CallContext) -> CallContext {
    let soon = (Instant::now() + OPTIONAL_TIMEOUT).into_std();
    CallContext {
        urgency: context.urgency.clone(),
        deadline: context.deadline.min(soon),
    }
}

/// Returns the failure with a name for what it left out.
pub(in crate::clouds) fn named(what: &str, mut failure: Failure) -> Failure {
    failure.detail = format!("{what}: {}", failure.detail);
    failure
}

/// Returns one failure of several that say the same.
pub(in crate::clouds) fn each_once(failures: Vec<Failure>) -> Vec<Failure> {
    let mut kept: BTreeMap<(_, String), Failure> = BTreeMap::new();
    for failure in failures {
        let same = (failure.kind, failure.detail.clone());
        kept.entry(same).or_insert(failure);
    }
    kept.into_values().collect()
}

/// Returns a service's text, made fit for logs and answers.
pub(in crate::clouds) fn bounded(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = one_line.chars().take(LONGEST_MESSAGE).collect();
    printable(&short).into_owned()
}
