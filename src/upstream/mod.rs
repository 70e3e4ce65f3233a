//! How we call out: the client that every call to a cloud goes through, and the only place that
//! retries.
//!
//! Clouds count calls by account, region and operation, so each of these has a `limiter` of its
//! own. A call waits there for its permit: verify before request before background, within the
//! rate, within the calls that may be in flight, and only while the circuit breaker admits calls.
//! A failed call that may succeed returns to the same queue after a pause. The caller is always
//! answered by its deadline.

mod settings;

mod client;

mod adaptive_rate;
mod limiter;
mod queue;

mod breaker;
mod retry;

#[cfg(test)]
mod tests;

pub use client::Upstream;
pub use settings::{BreakerPolicy, Operation, Policy, Rate, RateLimit, RetryPolicy};
