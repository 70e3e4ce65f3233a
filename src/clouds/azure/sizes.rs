//! The list of a location's sizes: their families, and which of them cannot be launched there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::wire::{SkuRestriction, SkuRow};
use crate::model::{Market, Region, Restriction, RestrictionKind};

/// The sizes that a location lists, by their names in lower case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SizeList(BTreeMap<String, Size>);

/// A size of virtual machines in one location.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Size {
    name: Arc<str>,
    pub(super) family: Option<Arc<str>>,
    pub(super) vcpus: Option<u32>,
    /// Whether it can be had as spot, where the list says so.
    is_spot_capable: Option<bool>,
    /// The reason for which the location does not launch it for this subscription.
    closed: Option<Closed>,
    /// The zones that do not launch it; others may.
    closed_zones: Vec<String>,
}

/// The reason of a restriction.
#[derive(Clone, Debug, PartialEq)]
enum Closed {
    /// The subscription's offer, such as a trial, is not entitled to it.
    Offer,
    /// It is held back from the subscription.
    Subscription,
    /// Another one.
    Other(String),
}

impl SizeList {
    /// The machines among the rows of a location's list.
    ///
    /// The list has disks, snapshots and hosts besides, whose capabilities are named alike.
    pub(super) fn new(location: &Region, rows: &[SkuRow]) -> Self {
        let is_machine = |row: &&SkuRow| {
            row.resource_type.eq_ignore_ascii_case("virtualMachines") && is_in(location, row)
        };
        let machines = rows.iter().filter(is_machine);
        let sizes = machines.map(|row| (row.name.to_ascii_lowercase(), Size::new(row)));
        Self(sizes.collect())
    }

    /// Returns the sizes with their names in lower case.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (&String, &Size)> {
        self.0.iter()
    }

    /// Whether it lists none at all, which no location does.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the sizes that the location does not launch, though their quotas may have room;
    /// those of `known` that it does not list are among them.
    pub(super) fn restrictions(
        &self,
        location: &Region,
        known: impl Iterator<Item = &'static str>,
    ) -> Vec<Restriction> {
        let not_listed: Arc<str> = format!("Azure does not offer this size in {location}").into();
        let not_as_spot: Arc<str> = "Azure does not offer this size as a spot machine".into();
        let missing = known.filter(|name| !self.0.contains_key(&name.to_ascii_lowercase()));
        let missing = missing.map(|name| Restriction {
            instance_type: name.into(),
            market: None,
            kind: RestrictionKind::NotOffered,
            reason: Arc::clone(&not_listed),
        });
        let mut restrictions: Vec<_> = missing.collect();
        for size in self.0.values() {
            let mut restrict = |market, kind, reason| {
                restrictions.push(Restriction {
                    instance_type: Arc::clone(&size.name),
                    market,
                    kind,
                    reason,
                });
            };
            if let Some(closed) = &size.closed {
                // Not documented for spot machines, and one is seen not to be bound.
                let market = Some(Market::OnDemand);
                restrict(
                    market,
                    RestrictionKind::Subscription,
                    closed.reason(location),
                );
            }
            if size.is_spot_capable == Some(false) {
                let market = Some(Market::Spot);
                restrict(
                    market,
                    RestrictionKind::NotOffered,
                    Arc::clone(&not_as_spot),
                );
            }
            if !size.closed_zones.is_empty() {
                let zones = size.closed_zones.join(", ");
                let reason = format!("zones of {location} without this size: {zones}");
                restrict(None, RestrictionKind::Zones, reason.into());
            }
        }
        restrictions.sort_by(|a, b| a.instance_type.cmp(&b.instance_type));
        restrictions
    }
}

/// Whether a row is of this location: the filter of the question is one that a proxy may lose.
fn is_in(location: &Region, row: &SkuRow) -> bool {
    let mut locations = row.locations.iter().flatten().peekable();
    locations.peek().is_none()
        || locations.any(|other| other.eq_ignore_ascii_case(location.as_str()))
}

impl Size {
    fn new(row: &SkuRow) -> Self {
        let capability = |name: &str| {
            let mut capabilities = row.capabilities.iter().flatten();
            let found = capabilities.find(|capability| capability.name == name);
            found.map(|capability| &*capability.value)
        };
        let restrictions = row.restrictions.iter().flatten();
        let of_kind = |kind: &'static str| {
            let is_kind = move |one: &&SkuRestriction| one.kind.eq_ignore_ascii_case(kind);
            restrictions.clone().filter(is_kind)
        };
        let zones = of_kind("Zone").flat_map(|restriction| {
            let info = restriction.restriction_info.as_ref();
            info.and_then(|info| info.zones.clone()).unwrap_or_default()
        });
        let mut closed_zones: Vec<_> = zones.collect();
        closed_zones.sort();
        closed_zones.dedup();
        Self {
            name: row.name.as_str().into(),
            family: row
                .family
                .as_deref()
                .filter(|family| !family.is_empty())
                .map(Arc::from),
            vcpus: capability("vCPUs").and_then(|number| number.parse().ok()),
            is_spot_capable: match capability("LowPriorityCapable") {
                Some(word) if word.eq_ignore_ascii_case("true") => Some(true),
                Some(word) if word.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            },
            closed: of_kind("Location").next().map(Closed::new),
            closed_zones,
        }
    }
}

impl Closed {
    fn new(restriction: &SkuRestriction) -> Self {
        match restriction.reason_code.as_deref().unwrap_or_default() {
            "QuotaId" => Self::Offer,
            "NotAvailableForSubscription" => Self::Subscription,
            other => Self::Other(other.chars().filter(char::is_ascii_alphanumeric).collect()),
        }
    }

    fn reason(&self, location: &Region) -> Arc<str> {
        match self {
            Self::Offer => format!(
                "the subscription's offer is not entitled to this size in {location} (QuotaId)"
            ),
            Self::Subscription => format!(
                "Azure holds this size back from the subscription in {location} \
                 (NotAvailableForSubscription): a support request lifts it"
            ),
            Self::Other(code) => {
                format!("Azure restricts this size in {location} for the subscription ({code})")
            }
        }
        .into()
    }
}
