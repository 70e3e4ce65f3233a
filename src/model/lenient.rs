//! Reading what a later release has written: a row with words that this one does not know becomes
//! unknown, and the rows beside it stay.

use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::{Container, Limit, LimitSource, Quota, QuotaKey, QuotaMarket, Scope, Unit, Usage};

/// A row of a stored snapshot, as far as this version understands it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum StoredRow {
    /// The whole row.
    Known(Quota),
    /// A row with an unknown word or an invalid number, of which only the identity is used.
    Named(NamedRow),
    /// A row without an identity.
    Unknown(IgnoredAny),
}

#[derive(Deserialize)]
pub(super) struct NamedRow {
    key: QuotaKey,
    container: Option<Container>,
    name: Option<Arc<str>>,
}

impl StoredRow {
    /// Returns the row.
    ///
    /// A row of which only the identity is known stays, with an unknown limit: without it, another
    /// container of the same quota would seem to be the only one that limits a launch.
    pub(super) fn quota(self) -> Option<Quota> {
        let named = match self {
            Self::Known(quota) => return Some(quota),
            Self::Named(named) => named,
            Self::Unknown(_) => return None,
        };
        Some(Quota {
            name: named.name.unwrap_or_else(|| Arc::clone(&named.key.code)),
            key: named.key,
            unit: Unit::Count,
            market: QuotaMarket::Any,
            scope: Scope::Region,
            container: named.container,
            limit: Limit::Unknown,
            limit_source: LimitSource::Applied,
            usage: Usage::Unknown,
            adjustable: None,
            default: None,
            increase_url: None,
            increase_command: None,
            native: None,
            observed_at: None,
            state: Default::default(),
        })
    }
}

/// The elements of a list that this version understands.
pub(super) struct KnownOnly<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for KnownOnly<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Element<T> {
            Known(T),
            Unknown(IgnoredAny),
        }
        let elements: Vec<Element<T>> = Deserialize::deserialize(deserializer)?;
        let known = elements.into_iter().filter_map(|element| match element {
            Element::Known(known) => Some(known),
            Element::Unknown(_) => None,
        });
        Ok(Self(known.collect()))
    }
}
