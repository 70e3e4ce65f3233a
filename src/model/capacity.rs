//! The capacity that a cloud reports right now, which is advice beside the quota and no promise.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use strum::{IntoStaticStr, VariantArray};

use super::Market;

/// How many instances of one type could be had, by the cloud's own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// The type, named as offers name it.
    pub instance_type: Arc<str>,
    /// How the instances would be paid for.
    pub market: Market,
    /// How much room there is, in the cloud's words.
    pub level: CapacityLevel,
    /// Instances that could be had at once.
    pub available: u32,
    /// When the cloud looked, if it says so.
    pub as_of: Option<Timestamp>,
}

/// How much room there is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    IntoStaticStr,
    VariantArray,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CapacityLevel {
    /// Plenty.
    High,
    /// Some.
    Medium,
    /// Little.
    Low,
    /// The account's own limit is used up; this says nothing of the hardware.
    LimitReached,
    /// The cloud did not say, or a word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl CapacityLevel {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
