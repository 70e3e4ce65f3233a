//! Launches that a cloud has just refused for want of capacity.

use std::sync::Arc;

use super::{Market, Moment};

/// A capacity failure that is still in force: launches like the one that failed are passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Unavailability {
    /// The type that could not be launched, named as offers name it.
    pub instance_type: Arc<str>,
    /// The market in which it could not; both if absent.
    pub market: Option<Market>,
    /// When it failed.
    pub since: Moment,
    /// Until when it is passed over.
    pub until: Moment,
    /// The sentence that explains it.
    pub reason: Arc<str>,
}

impl Unavailability {
    /// Whether it speaks of launches of this type and market.
    pub fn applies_to(&self, instance_type: &str, market: Market) -> bool {
        &*self.instance_type == instance_type && self.market.is_none_or(|only| only == market)
    }
}
