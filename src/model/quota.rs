//! One limit of one account, with its usage where the cloud tells it.
//!
//! The serialized form is that of stored snapshots, which outlive releases: a new field is
//! optional, and a change that gives the old fields another meaning needs a new format there.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use strum::{IntoStaticStr, VariantArray};

use super::{Amount, Market, Moment};

/// A row of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// Which quota this is, in the cloud's own words.
    pub key: QuotaKey,
    /// The name that people use.
    pub name: Arc<str>,
    /// The unit of the numbers.
    pub unit: Unit,
    /// Which launches it speaks of.
    pub market: QuotaMarket,
    /// Which part of the cloud it speaks of.
    pub scope: Scope,
    /// Whose limit it is, where a cloud sets limits on several layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The limit.
    pub limit: Limit,
    /// Where the limit comes from.
    pub limit_source: LimitSource,
    /// The usage.
    pub usage: Usage,
    /// Whether the account may ask for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjustable: Option<bool>,
    /// The limit that the cloud publishes for new accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Amount>,
    /// Where a person asks for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub increase_url: Option<Arc<str>>,
    /// The command by which a person asks for more, where no page shows the quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increase_command: Option<Arc<str>>,
    /// How the cloud itself spells the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Arc<Native>>,
    /// When the call that brought the row was sent, where that is not when its snapshot was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Moment>,
    /// Whether it can be used.
    #[serde(default, skip_serializing_if = "QuotaState::is_active")]
    pub state: QuotaState,
}

impl Quota {
    /// Returns what is left beside what is leased, or nothing if the limit or the usage is unknown.
    pub fn available(&self, leased: Amount) -> Option<Amount> {
        if self.state == QuotaState::Frozen {
            return Some(Amount::ZERO);
        }
        let unused = self.limit.known()?.saturating_sub(self.usage.known()?);
        Some(unused.saturating_sub(leased))
    }
}

/// Whether a quota can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaState {
    /// As its numbers say.
    #[default]
    Active,
    /// Its limit stands, and nothing of it can be used.
    Frozen,
    /// It is being changed, so that nothing is certain of it. A stored state that this version does
    /// not know reads as this one.
    #[serde(other)]
    Provisioning,
}

impl QuotaState {
    fn is_active(&self) -> bool {
        *self == Self::Active
    }

    /// The word of the public contract; nothing while it is active.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::Frozen => Some("frozen"),
            Self::Provisioning => Some("provisioning"),
        }
    }
}

/// The identity of a quota within a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QuotaKey {
    /// The cloud's service, such as `ec2` or `compute`.
    pub service: Arc<str>,
    /// The cloud's code, such as `L-417A185B` or `compute.instance.gpu.h100`.
    pub code: Arc<str>,
}

impl QuotaKey {
    /// The quota of this service and code.
    pub fn new(service: impl Into<Arc<str>>, code: impl Into<Arc<str>>) -> Self {
        Self {
            service: service.into(),
            code: code.into(),
        }
    }
}

impl std::fmt::Display for QuotaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.service, self.code)
    }
}

/// A limit, where zero always means zero and unknown has its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// This much, and no more.
    Known(Amount),
    /// The cloud says that there is none.
    Unlimited,
    /// This layer sets none, so the limit of the layer above is what counts; a row that only
    /// inherits is shown and takes no part in a verdict.
    Inherited,
    /// The cloud did not say.
    Unknown,
}

impl Limit {
    /// The number, if there is one.
    pub fn known(self) -> Option<Amount> {
        match self {
            Self::Known(amount) => Some(amount),
            Self::Unlimited | Self::Inherited | Self::Unknown => None,
        }
    }
}

/// Where a limit comes from, and so what may rest on it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LimitSource {
    /// The cloud says that it holds for this account.
    Applied,
    /// A failed launch stated it after the last read.
    Learned,
    /// The operator's configuration states it.
    Configured,
    /// The cloud gave only its published default: shown, but no verdict rests on it.
    Default,
}

/// The usage, where unknown is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// This much, at that time if the cloud told it.
    Known {
        /// How much.
        amount: Amount,
        /// When the cloud counted it.
        #[serde(skip_serializing_if = "Option::is_none")]
        as_of: Option<Timestamp>,
        /// Between which amounts it really is, where the cloud tells a rounded number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<UsageRange>,
    },
    /// This much at that time, which is too long ago for a verdict to rest on: it is shown, and
    /// counts as unknown.
    Outdated {
        /// How much it was.
        amount: Amount,
        /// When the cloud counted it.
        as_of: Timestamp,
    },
    /// The cloud did not say.
    Unknown,
}

/// The amounts between which a usage really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRange {
    /// At least so much.
    pub least: Amount,
    /// At most so much.
    pub most: Amount,
}

impl Usage {
    /// The number, if there is one.
    pub fn known(self) -> Option<Amount> {
        match self {
            Self::Known { amount, .. } => Some(amount),
            Self::Outdated { .. } | Self::Unknown => None,
        }
    }

    /// The number to show, if there is one, however old it is.
    pub fn shown(self) -> Option<Amount> {
        match self {
            Self::Known { amount, .. } | Self::Outdated { amount, .. } => Some(amount),
            Self::Unknown => None,
        }
    }

    /// Returns when the cloud counted it, where it says so.
    pub fn as_of(self) -> Option<Timestamp> {
        match self {
            Self::Known { as_of, .. } => as_of,
            Self::Outdated { as_of, .. } => Some(as_of),
            Self::Unknown => None,
        }
    }

    /// Returns when the cloud counted it, given when its call was sent: then, or earlier where the
    /// cloud says so.
    pub fn counted_at(self, observed_at: Moment) -> Moment {
        match self.as_of() {
            Some(as_of) if as_of < observed_at.wall => Moment {
                wall: as_of,
                since_start: observed_at
                    .since_start
                    .saturating_sub(observed_at.wall.duration_since(as_of)),
            },
            _ => observed_at,
        }
    }

    /// The amounts between which it really is, if it is known; equal ones where it is exact.
    pub fn range(self) -> Option<UsageRange> {
        match self {
            Self::Known { range, amount, .. } => Some(range.unwrap_or(UsageRange {
                least: amount,
                most: amount,
            })),
            Self::Outdated { .. } | Self::Unknown => None,
        }
    }
}

/// The unit of a quota's numbers.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Unit {
    /// Virtual CPUs.
    Vcpu,
    /// GPUs.
    Gpu,
    /// Instances.
    Instance,
    /// Bytes.
    Byte,
    /// Anything else that is counted.
    Count,
}

/// Which launches draw on a quota.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum QuotaMarket {
    /// On-demand launches.
    OnDemand,
    /// Spot launches.
    Spot,
    /// Launches into reserved capacity.
    Reserved,
    /// All launches.
    Any,
}

impl From<Market> for QuotaMarket {
    fn from(market: Market) -> Self {
        match market {
            Market::OnDemand => Self::OnDemand,
            Market::Spot => Self::Spot,
        }
    }
}

/// Which part of a cloud a quota speaks of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// One region.
    Region,
    /// One availability zone.
    Zone,
    /// The whole account.
    Global,
}

/// Whose limit a row is, where a cloud sets limits on several layers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Container {
    /// The cloud's word for the layer: `tenant`, `project`, `compartment`.
    pub kind: Arc<str>,
    /// The cloud's id of it.
    pub id: Arc<str>,
}

/// How a cloud itself spells a row, for endpoints that speak the cloud's own protocol.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Native {
    /// How many of our units make one of the cloud's: 2^40 where the cloud counts TiB in bytes.
    pub unit_size: f64,
    /// The row's other members, by the cloud's own dotted path.
    pub members: BTreeMap<String, String>,
}

impl LimitSource {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Unit {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl QuotaMarket {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Scope {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
