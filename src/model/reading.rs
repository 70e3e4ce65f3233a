//! The result of one read of a cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::lenient::KnownOnly;
use super::{AccountId, Capacity, Failure, Moment, Quota, Region, Restriction, Snapshot};

/// The answer to one read of a fetch unit.
///
/// Capacity is not stored: what there was room for before a restart says nothing about now. Nor
/// are the incomplete parts, which were carried over before the reading is stored.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// The account that was read, where the cloud told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The quotas of each region.
    pub regions: BTreeMap<Region, Arc<Snapshot>>,
    /// The capacity of each region now, where the cloud gives such advice.
    #[serde(skip)]
    pub capacity: BTreeMap<Region, Vec<Capacity>>,
    /// Which types cannot be launched in a region though its quotas may have room.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "known_restrictions"
    )]
    pub restrictions: BTreeMap<Region, Vec<Restriction>>,
    /// The failures that left something out, such as usage without the permission for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Failure>,
    /// Whether some limits cannot be read until a person changes something, such as enabling the
    /// service that tells them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lacks_limits: bool,
    /// The parts that a transient failure left out.
    #[serde(skip)]
    pub incomplete: Incomplete,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Leaves out restrictions of kinds that this version does not know.
fn known_restrictions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Region, Vec<Restriction>>, D::Error> {
    let regions: BTreeMap<Region, KnownOnly<Restriction>> = Deserialize::deserialize(deserializer)?;
    let regions = regions.into_iter();
    Ok(regions.map(|(region, list)| (region, list.0)).collect())
}

impl Reading {
    /// Replaces every moment of the reading by what `map` makes of it.
    ///
    /// Only the wall time is stored, so a reading that comes from a store has no ages before.
    pub fn map_moments(&mut self, map: impl Fn(Moment) -> Moment) {
        for snapshot in self.regions.values_mut() {
            let has_moments = |row: &Quota| row.observed_at.is_some();
            if snapshot.quotas().iter().any(has_moments) {
                Arc::make_mut(snapshot).map_moments(&map);
            }
        }
    }
}

/// The parts of a reading that a transient failure left out, so that the reading before may know
/// better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incomplete {
    /// Some limits.
    pub limits: bool,
    /// Usage.
    pub usage: bool,
    /// The restrictions of some regions.
    pub restrictions: bool,
}
