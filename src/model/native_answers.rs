//! The answers of a backend in its cloud's own protocol, for clients that speak to the cloud itself.

use serde::Deserialize;

/// The answers of a backend in its cloud's own protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NativeAnswers {
    /// The number that the value of a quota states.
    pub value: NativeValue,
    /// The market that the value of an on-demand quota speaks of.
    pub market: NativeMarket,
}

/// The number that the value of a quota states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NativeValue {
    /// The limit, as the cloud itself states it.
    #[default]
    Applied,
    /// The rest of the limit, never below zero.
    Headroom,
}

/// The market that the value of an on-demand quota speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NativeMarket {
    /// On-demand, as with the cloud itself.
    #[default]
    OnDemand,
    /// On-demand or spot, for clients that ask for on-demand codes on behalf of spot offers.
    Either,
}
