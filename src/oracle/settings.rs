//! How a backend is kept fresh, and what is made of its verdicts.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::{Lifetimes, Market, Region, Strictness, duration};
use crate::telemetry::QuotaMetrics;

use super::leases::LeaseSettings;

/// The settings that all backends share.
#[derive(Clone, Copy, Debug)]
pub struct OracleSettings {
    /// The ages at which an answer stops being fresh and stops being usable.
    pub lifetimes: Lifetimes,
    /// Which quotas have series of their own in the metrics.
    pub quota_metrics: QuotaMetrics,
    /// The bounds of leases.
    pub leases: LeaseSettings,
    /// Tells the code and name of the quota that launches of a cloud are counted by, from the kind,
    /// the type and the market, where errors of that cloud do not name it.
    pub launch_quota: fn(&str, &str, Market) -> Option<(&'static str, &'static str)>,
}

/// The keys of a `[[backends]]` table that are the same for every cloud.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackendSettings {
    /// Which regions are read at start, before anybody asks.
    pub preload: Preload,
    /// How often a region that is asked for is read anew.
    #[serde(with = "duration")]
    pub refresh_every: Duration,
    /// How strictly a verdict of `short` becomes an availability of `no_quota`.
    #[serde(deserialize_with = "strictness")]
    pub strictness: Strictness,
    /// Whether availability is as under `off` while what would have been said is shown and counted.
    pub shadow: bool,
    /// After this long a launch shows in the cloud's usage; the cloud's default if absent.
    #[serde(deserialize_with = "usage_delay")]
    pub usage_delay: Option<Duration>,
    /// A verdict of `short` that rests on older rows is verified before it is given to a caller
    /// who may verify; never if absent.
    #[serde(deserialize_with = "deny_max_age")]
    pub deny_max_age: Option<Duration>,
    /// The longest that such a verification may keep the caller waiting.
    #[serde(with = "duration")]
    pub deny_wait: Duration,
}

impl Default for BackendSettings {
    fn default() -> Self {
        Self {
            preload: Preload::All,
            refresh_every: Duration::from_secs(5 * 60),
            strictness: Strictness::default(),
            shadow: false,
            usage_delay: None,
            deny_max_age: None,
            deny_wait: Duration::from_secs(1),
        }
    }
}

/// The delay of a cloud that tells none of its own: an assumption.
const USAGE_DELAY: Duration = Duration::from_secs(5 * 60);

impl BackendSettings {
    /// Returns after how long a launch shows in the cloud's usage.
    pub fn usage_delay(&self) -> Duration {
        self.usage_delay.unwrap_or(USAGE_DELAY)
    }
}

/// Which regions are read at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preload {
    /// All of the backend's.
    All,
    /// None: the first caller waits.
    None,
    /// These.
    Listed(Vec<Region>),
}

fn strictness<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Strictness, D::Error> {
    const WORDS: [&str; 4] = ["off", "nonzero", "limit", "headroom"];
    let word = String::deserialize(deserializer)?;
    word.parse()
        .map_err(|_| D::Error::unknown_variant(&word, &WORDS))
}

fn usage_delay<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration::or_zero::deserialize(deserializer).map(Some)
}

fn deny_max_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" {
        return Ok(None);
    }
    let age = duration::parse(&text);
    age.map(Some)
        .map_err(|error| D::Error::custom(format!("{error}, or \"off\"")))
}

impl<'de> Deserialize<'de> for Preload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> Visitor<'de> for Choice {
            type Value = Preload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a list of regions")
            }

            fn visit_bool<E: Error>(self, all: bool) -> Result<Preload, E> {
                Ok(if all { Preload::All } else { Preload::None })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut regions: A) -> Result<Preload, A::Error> {
                let mut listed = Vec::new();
                while let Some(region) = regions.next_element::<String>()? {
                    listed.push(Region::new(region));
                }
                Ok(Preload::Listed(listed))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}
