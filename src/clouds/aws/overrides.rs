//! An operator's corrections: which quota the launches of an instance type or family draw on.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::known_codes::counts_no_vcpus;
use super::service_and_code::ServiceAndCode;
use super::vcpu_quotas::EC2;
use crate::model::{Market, QuotaKey};

/// Which quotas launches draw on where AWS documents none or the built-in table is wrong:
/// `"p6-b200@spot" = "L-C4BD4855"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaOverrides(BTreeMap<Launches, QuotaKey>);

/// The launches that an override speaks of, in lower case: `p5`, `p5.48xlarge`, `p5@spot`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Launches {
    type_or_family: String,
    market: Market,
}

impl QuotaOverrides {
    /// Returns a number that differs where the overrides do, within one process.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// The quota that the operator names for launches of a type, for the type before its family;
    /// both in lower case.
    pub(super) fn quota(
        &self,
        instance_type: &str,
        family: &str,
        market: Market,
    ) -> Option<&QuotaKey> {
        [instance_type, family].into_iter().find_map(|name| {
            self.0.get(&Launches {
                type_or_family: name.to_owned(),
                market,
            })
        })
    }

    /// All quotas that are named.
    pub(super) fn quotas(&self) -> impl Iterator<Item = &QuotaKey> {
        self.0.values()
    }
}

impl Launches {
    /// The launches of that name, whatever its case; on-demand ones unless it says otherwise.
    fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let (name, market) = match lower.split_once('@') {
            None => (lower.as_str(), Market::OnDemand),
            Some((name, "on_demand")) => (name, Market::OnDemand),
            Some((name, "spot")) => (name, Market::Spot),
            Some((_, market)) => {
                return Err(format!(
                    "`{market}` is no market: write `@spot`, or `@on_demand`, which is also meant \
                     without either"
                ));
            }
        };
        let is_plain = |word: &str| {
            !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        };
        let is_name = match name.split_once('.') {
            None => is_plain(name),
            Some((family, size)) => is_plain(family) && is_plain(size),
        };
        if !is_name {
            return Err(format!(
                "`{name}` is neither an instance family such as `p5` nor a type such as \
                 `p5.48xlarge`"
            ));
        }
        Ok(Self {
            type_or_family: name.to_owned(),
            market,
        })
    }
}

/// The quota of that name: `service/code`, or a code of EC2's.
fn quota(text: &str) -> Result<QuotaKey, String> {
    let named = match text.contains('/') {
        true => ServiceAndCode::try_from(text.to_owned()),
        false => ServiceAndCode::try_from(format!("{EC2}/{text}")),
    };
    match named {
        Ok(ServiceAndCode {
            service,
            code: Some(code),
        }) => {
            let quota = QuotaKey::new(service, code);
            match counts_no_vcpus(&quota) {
                Some(unit) => Err(format!(
                    "`{text}` counts {unit}, and launches are counted in vCPUs: write the code of \
                     a vCPU quota, such as `L-C4BD4855`"
                )),
                None => Ok(quota),
            }
        }
        _ => Err(format!(
            "`{text}` names no quota: write its code, such as `L-C4BD4855`, or `service/code` if \
             it is not EC2's"
        )),
    }
}

impl<'de> Deserialize<'de> for QuotaOverrides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = QuotaOverrides;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table such as { \"p6-b200@spot\" = \"L-C4BD4855\" }")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut table: A,
            ) -> Result<QuotaOverrides, A::Error> {
                let mut overrides = BTreeMap::new();
                while let Some(key) = table.next_key::<String>()? {
                    let known = &overrides;
                    let (launches, quota) = table.next_value_seed(Line { key, known })?;
                    overrides.insert(launches, quota);
                }
                Ok(QuotaOverrides(overrides))
            }
        }

        deserializer.deserialize_map(Table)
    }
}

/// A line of the table. Its key is understood together with its value, so that what is wrong with
/// either is told with the place where it stands.
struct Line<'k> {
    key: String,
    known: &'k BTreeMap<Launches, QuotaKey>,
}

impl<'de> DeserializeSeed<'de> for Line<'_> {
    type Value = (Launches, QuotaKey);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let value = String::deserialize(deserializer)?;
        let launches = Launches::parse(&self.key).map_err(D::Error::custom)?;
        if self.known.contains_key(&launches) {
            return Err(D::Error::custom("another key speaks of the same launches"));
        }
        Ok((launches, quota(&value).map_err(D::Error::custom)?))
    }
}
