//! Reasons why a type cannot be launched in a region though its quotas may have room.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use strum::{IntoStaticStr, VariantArray};

use super::Market;

/// A restriction that the cloud puts on launching one type in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// The type, named as offers name it.
    pub instance_type: Arc<str>,
    /// The market that is restricted; both if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<Market>,
    /// The kind, which decides what is made of it.
    pub kind: RestrictionKind,
    /// The sentence that explains it.
    pub reason: Arc<str>,
}

/// The kinds of restriction.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RestrictionKind {
    /// The region does not offer the type, or not in this market.
    NotOffered,
    /// The type is closed to this account.
    Subscription,
    /// Some zones of the region do not offer it; others do.
    Zones,
}

impl Restriction {
    /// Whether it speaks of launches of this type and market.
    pub fn applies_to(&self, instance_type: &str, market: Market) -> bool {
        &*self.instance_type == instance_type && self.market.is_none_or(|only| only == market)
    }
}

impl RestrictionKind {
    /// Whether a launch is refused because of it; a restriction of some zones leaves the others.
    pub fn prevents_launch(self) -> bool {
        !matches!(self, Self::Zones)
    }

    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
