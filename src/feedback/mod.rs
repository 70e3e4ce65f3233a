//! The meaning of a failed launch's error: quota, capacity or something else, how far it reaches,
//! and the numbers that it states.
//!
//! A message passes through three steps. `text` bounds it and takes out what must not be
//! searched; `evidence` finds the codes in it; the cloud's own table in `clouds` says what they
//! mean. Structured details decide before the code, the code before codes in the text, and those
//! before phrases; only the table of the launch's own cloud is asked. Every pattern is of the
//! `regex` crate, whose time is linear in the text, and the text is bounded.

mod decision;
mod evidence;
mod launch_error;
mod meaning;
mod places;
mod rules;
mod statements;
mod table;
mod text;

mod clouds;

use crate::model::{Market, QuotaMarket};

use decision::decide;
use evidence::Evidence;
use statements::Statement;
use table::Extent;

pub use launch_error::{LaunchError, MOST_TEXT};
pub use meaning::{Class, Level, Meaning, NamedQuota, Reach};

/// Names the quota that launches of a type and market are counted by, for clouds whose errors do
/// not name it.
pub type LaunchQuota<'a> = &'a dyn Fn(&str, Market) -> Option<NamedQuota>;

/// Returns the names of the clouds whose errors are understood.
pub fn known_clouds() -> impl Iterator<Item = &'static str> {
    clouds::ALL.iter().map(|(name, _)| *name)
}

/// Classifies the error of a launch on `cloud`; on one without a table, everything is `other`.
pub fn classify(cloud: &str, error: &LaunchError<'_>, launch_quota: LaunchQuota<'_>) -> Meaning {
    let Some(rules) = clouds::rules(cloud) else {
        return Meaning::unrecognised();
    };
    let evidence = Evidence::of(rules, error);
    let Some(found) = decide(rules, &evidence, error) else {
        return Meaning::unrecognised();
    };
    let place = rules.places.find(&evidence.text, error);
    let statement = match found.class {
        Class::Quota => rules.statements.first(&evidence.text),
        _ => Statement::default(),
    };
    let market = found.market.or(statement.market);
    let market = market.unwrap_or(QuotaMarket::from(error.market));
    let found = rules.refined(found, &statement);
    let mut meaning = Meaning {
        class: found.class,
        reach: Reach::default(),
        quota: None,
        limit: statement.limit,
        usage: statement.usage,
        required: statement.required,
        unit_size: found.unit_size,
        transient: found.transient,
        is_recognised: true,
    };
    if found.class == Class::Quota {
        meaning.quota = match found.quota {
            Some((code, name)) => Some(NamedQuota::coded(code, name)),
            None if rules.names_by_type && found.extent == Extent::Quota => {
                // Beside a quota, other types may be named that met something else.
                let stated = place.instance_type.as_deref();
                let instance_type = error.instance_type.or(stated).unwrap_or_default();
                let paid = match market {
                    QuotaMarket::Spot => Market::Spot,
                    _ => Market::OnDemand,
                };
                launch_quota(instance_type, paid)
            }
            None => statement.name.clone().map(NamedQuota::named),
        };
    }
    let region = match statement.is_global {
        true => Some("global".to_owned()),
        false => statement.region.clone().or(place.region),
    };
    let level = found.extent.level();
    meaning.reach.level = level;
    match found.extent {
        Extent::Offer => {
            meaning.reach.region = region;
            meaning.reach.zone = place.zone;
            meaning.reach.instance_type = place.instance_type;
            meaning.reach.market = Some(market);
        }
        Extent::Quota => {
            meaning.reach.region = region;
            meaning.reach.market = Some(match statement.is_global {
                true => QuotaMarket::Any,
                false => market,
            });
            meaning.reach.quota = meaning.quota.as_ref().map(|quota| {
                let code = quota.code.as_ref();
                code.unwrap_or(&quota.name).clone()
            });
        }
        Extent::NotOffered => {
            meaning.reach.region = region;
            meaning.reach.zone = place.zone;
            meaning.reach.instance_type = place.instance_type;
            meaning.reach.market = Some(found.market.unwrap_or(QuotaMarket::Any));
        }
        Extent::AccountRegion => meaning.reach.region = region,
        Extent::Account => meaning.reach.market = found.market,
        Extent::Resource(name) => {
            let stated = statement.resource.or(statement.name);
            meaning.reach.resource = name.map(str::to_owned).or(stated);
            // Of what is the caller's own, the region says nothing.
            let is_regional = found.class != Class::Other && !found.is_everywhere;
            meaning.reach.region = region.filter(|_| is_regional);
        }
        Extent::OtherService(name) => meaning.reach.service = Some(name.to_owned()),
        Extent::Api | Extent::Request | Extent::None => {}
    }
    meaning
}

#[cfg(test)]
mod tests;
