//! Outgoing calls: the client that every call to a cloud goes through, and the only place that
//! retries.
//!
//! Clouds count calls by account, region and operation, so each of these has a `limiter` of its
//! own. A call waits there for its permit: verify before request before background, within the
//! rate, within the calls that may be in flight, and only while the circuit breaker admits calls.
//! The last thing it needs is one of the `call_slots` that bound the calls in flight of the whole
//! process. Then it takes its token from the rate and is sent at once, so tokens and time-outs
//! count from the sending. A failed call that may succeed returns to the same queue after a pause.
//! The caller is always answered by its deadline.

mod settings;
mod shared;

mod client;

mod call_slots;

mod adaptive_rate;
mod limiter;
mod limiter_state;
mod opening;
mod queue;
mod scope;
mod shared_token;
mod turns;

mod permits;

mod call_record;
mod in_flight;

mod breaker;
mod retry;

#[cfg(test)]
mod tests;

pub use client::{Answer, Upstream};
pub use settings::{Operation, Rate, RateLimit};
pub use shared::Shared;
