//! A subscription's contents: its locations with their quotas, and the sizes of machines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Size;

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its locations, by name.
    pub locations: BTreeMap<String, LocationState>,
    /// The sizes that Azure has at all.
    pub sizes: Arc<Vec<Size>>,
    /// The quota categories of families, by the family's name. A location whose usages have no row
    /// of a category checks the family's own.
    pub categories: BTreeMap<String, FamilyCategory>,
}

/// A location.
#[derive(Clone, Debug, Default)]
pub struct LocationState {
    /// As the portal shows it.
    pub display_name: String,
    /// Whether it is a place with machines, and no name for several of them.
    pub is_physical: bool,
    /// The quotas of the compute provider, by name.
    pub usages: BTreeMap<String, UsageRow>,
    /// The quotas of the network provider, by name.
    pub network_usages: BTreeMap<String, UsageRow>,
    /// Sizes that are not offered here, though their table says so.
    pub withheld: BTreeSet<String>,
    /// Sizes that are restricted here, by name.
    pub restrictions: BTreeMap<String, Restriction>,
}

/// A quota with its usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    /// The limit.
    pub limit: i64,
    /// The usage.
    pub usage: i32,
}

/// A restriction of a size in a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The zones that it is about; the whole location where none is named.
    pub zones: Vec<String>,
    /// Its cause.
    pub reason: Reason,
}

/// The cause of a restriction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The subscription's offer is not entitled to it.
    QuotaId,
    /// It is held back from this subscription.
    NotAvailableForSubscription,
}

impl Restriction {
    /// A restriction of the whole location.
    pub fn of_location(reason: Reason) -> Self {
        Self {
            zones: Vec::new(),
            reason,
        }
    }

    /// A restriction of some zones.
    pub fn of_zones(zones: &[&str], reason: Reason) -> Self {
        Self {
            zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
            reason,
        }
    }
}

/// The quota category of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyCategory {
    /// The row of the usages that counts instead of the family's own.
    pub category: String,
    /// `Succeeded` once the category counts.
    pub provisioning_state: String,
}

impl Subscription {
    /// Sets the limit of a quota of the compute provider, or takes its row away.
    pub fn set_limit(&mut self, location: &str, name: &str, limit: Option<i64>) {
        let Some(location) = self.locations.get_mut(location) else {
            return;
        };
        match limit {
            Some(limit) => location.usages.entry(name.to_owned()).or_default().limit = limit,
            None => {
                location.usages.remove(name);
            }
        }
    }

    /// Sets the usage of a quota of the compute provider that is there.
    pub fn set_usage(&mut self, location: &str, name: &str, usage: i32) {
        let location = self.locations.get_mut(location);
        if let Some(row) = location.and_then(|location| location.usages.get_mut(name)) {
            row.usage = usage;
        }
    }

    /// Restricts a size in a location.
    pub fn restrict(&mut self, location: &str, size: &str, restriction: Restriction) {
        if let Some(location) = self.locations.get_mut(location) {
            location.restrictions.insert(size.to_owned(), restriction);
        }
    }

    /// Changes a size everywhere.
    pub fn change_size(&mut self, name: &str, change: impl FnOnce(&mut Size)) {
        let mut sizes = Arc::make_mut(&mut self.sizes).iter_mut();
        if let Some(size) = sizes.find(|size| size.name == name) {
            change(size);
        }
    }

    /// The location of this name, if its providers serve it.
    pub(super) fn served(&self, location: &str) -> Option<&LocationState> {
        self.locations
            .get(location)
            .filter(|found| found.is_physical)
    }
}
