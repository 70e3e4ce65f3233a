//! Azure's usage rows as quotas of the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::increase;
use super::names::{self, COMPUTE, folded};
use super::settings::AzureCloud;
use super::wire::{FamilyRow, UsageRow};
use crate::clouds::kit::Sent;
use crate::model::{
    Amount, GIB, Limit, LimitSource, Native, Quota, QuotaKey, QuotaState, Region, Scope, Snapshot,
    Unit, Usage,
};

/// Where a member of a category's row stands that names a family of it.
const FAMILY: &str = "family/";

/// A member of a category's row whose families are known.
const MAPPED: &str = "mapped";

/// The quota category of each family that has one, both folded.
pub(super) type Categories = BTreeMap<String, String>;

/// The place that rows are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) cloud: AzureCloud,
    pub(super) subscription: &'a str,
    pub(super) location: &'a Region,
}

/// Returns the categories that are in force: a mapping still being provisioned decides nothing.
pub(super) fn categories(rows: &[FamilyRow]) -> Categories {
    let in_force = rows
        .iter()
        .filter(|row| row.properties.provisioning_state == "Succeeded");
    let pairs = in_force.filter_map(|row| {
        let category = row.properties.category.as_deref()?;
        Some((folded(&row.name), folded(category)))
    });
    pairs.collect()
}

/// Returns the quotas of one provider; `categories` are those of its families, if they are known.
pub(super) fn quotas(
    place: Place<'_>,
    provider: &'static str,
    rows: &[Sent<UsageRow>],
    categories: Option<&Categories>,
) -> Vec<Quota> {
    let mut seen = BTreeSet::new();
    let mut quotas = Vec::with_capacity(rows.len());
    for row in rows {
        let code = &row.value.name.value;
        if code.is_empty() || !seen.insert(folded(code)) {
            continue;
        }
        quotas.push(quota(place, provider, row, categories));
    }
    quotas
}

fn quota(
    place: Place<'_>,
    provider: &'static str,
    Sent { value: row, at }: &Sent<UsageRow>,
    categories: Option<&Categories>,
) -> Quota {
    let code = &*row.name.value;
    let usage = row.current_value.and_then(|usage| amount(code, usage));
    let name = match &*row.name.localized_value {
        "" => code,
        name => name,
    };
    let is_category = provider == COMPUTE && names::is_category(code);
    let page = increase::page(
        place.cloud,
        place.subscription,
        place.location,
        (provider, code),
        row.limit,
    );
    Quota {
        key: QuotaKey::new(provider, code),
        name: name.into(),
        unit: names::unit(code),
        market: names::market(code),
        scope: Scope::Region,
        container: None,
        limit: match row.limit {
            // No limit, as network rows say it.
            Some(i64::MAX) => Limit::Unlimited,
            Some(limit) => amount(code, limit).map_or(Limit::Unknown, Limit::Known),
            None => Limit::Unknown,
        },
        limit_source: LimitSource::Applied,
        usage: usage.map_or(Usage::Unknown, |amount| Usage::Known {
            amount,
            as_of: None,
            range: None,
        }),
        adjustable: names::is_adjustable(code),
        default: None,
        increase_url: Some(page),
        increase_command: None,
        native: is_category.then(|| Arc::new(families_of(code, categories))),
        observed_at: *at,
        state: QuotaState::Active,
    }
}

/// Returns a number in the unit of its quota; nothing below zero.
fn amount(code: &str, number: i64) -> Option<Amount> {
    let number = number as f64;
    Amount::new(match names::unit(code) {
        Unit::Byte => number * GIB,
        _ => number,
    })
}

/// Returns the members by which a category's row names its families, so that the row alone tells
/// which launches draw on it.
fn families_of(category: &str, categories: Option<&Categories>) -> Native {
    let category = folded(category);
    let mut members = BTreeMap::new();
    if let Some(categories) = categories {
        members.insert(MAPPED.to_owned(), String::new());
        let families = categories.iter().filter(|(_, of)| **of == category);
        members.extend(families.map(|(family, _)| (format!("{FAMILY}{family}"), String::new())));
    }
    Native {
        unit_size: 1.0,
        members,
    }
}

/// The quota that counts a family's vCPUs.
#[derive(Debug, PartialEq)]
pub(super) enum CountedBy {
    /// Its own.
    Family,
    /// The quota of its category, instead of its own.
    Category(QuotaKey),
    /// There are categories, and nobody knows whose it is.
    Unknown,
}

/// Returns which quota of a location counts a family's vCPUs.
pub(super) fn counted_by(snapshot: &Snapshot, family: &str) -> CountedBy {
    let rows = snapshot.quotas().iter();
    let categories =
        rows.filter(|row| &*row.key.service == COMPUTE && names::is_category(&row.key.code));
    let mut member = None;
    let mut is_unknown = false;
    for row in categories {
        let member = member.get_or_insert_with(|| format!("{FAMILY}{}", folded(family)));
        let Some(native) = row.native.as_ref() else {
            is_unknown = true;
            continue;
        };
        if native.members.contains_key(member) {
            return CountedBy::Category(row.key.clone());
        }
        is_unknown |= !native.members.contains_key(MAPPED);
    }
    match is_unknown {
        true => CountedBy::Unknown,
        false => CountedBy::Family,
    }
}
