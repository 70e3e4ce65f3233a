//! The meaning of an error, in the words of the public contract.

use strum::{IntoStaticStr, VariantArray};

use crate::model::{Amount, QuotaMarket};

/// The meaning of a failed launch's error.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// The kind of cause.
    pub class: Class,
    /// Its reach.
    pub reach: Reach,
    /// The quota that was exceeded, if it is known which.
    pub quota: Option<NamedQuota>,
    /// The limit that the error states.
    pub limit: Option<Amount>,
    /// The usage that the error states.
    pub usage: Option<Amount>,
    /// The amount that the error says was required.
    pub required: Option<Amount>,
    /// The number of the quota's units that one of the error's is; nothing where the error counts
    /// something else than the quota does, so that its numbers say nothing of it.
    pub unit_size: Option<f64>,
    /// Whether it passes by itself within minutes.
    pub transient: bool,
    /// Whether anything in the cloud's table has decided.
    pub is_recognised: bool,
}

/// The kind of cause of a failed launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Class {
    /// A limit of the account.
    Quota,
    /// The cloud has no machine for it now.
    Capacity,
    /// Too many calls.
    Throttle,
    /// The account, its permissions or its billing.
    Credentials,
    /// The request is wrong, or the type is not offered there.
    Configuration,
    /// Anything else.
    Other,
}

/// The reach of the cause of a failed launch; what does not apply is absent.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reach {
    /// The kind of reach.
    pub level: Level,
    /// The cloud's own region name, or `global`.
    pub region: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// The type.
    pub instance_type: Option<String>,
    /// The market.
    pub market: Option<QuotaMarket>,
    /// The quota: its code where the cloud's rows are known by one, else its name in the error.
    pub quota: Option<String>,
    /// A resource beside the machine itself.
    pub resource: Option<String>,
    /// Another service of the cloud, with quotas of its own.
    pub service: Option<String>,
}

/// The kinds of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Level {
    /// A type in a zone, or else a region, and a market.
    Offer,
    /// All offers that draw on one quota.
    Quota,
    /// A type in a zone or region, in any market.
    NotOffered,
    /// The account in one region.
    AccountRegion,
    /// The account.
    Account,
    /// The interface that was called.
    Api,
    /// A resource beside the machine.
    Resource,
    /// Another service of the cloud.
    OtherService,
    /// The request.
    Request,
    /// No offer at all.
    #[default]
    None,
}

/// A quota as an error or its cloud names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedQuota {
    /// The code of its row, where it is known.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
}

impl Meaning {
    /// The meaning of an error that no table has a line for: it changes nothing.
    pub(super) fn unrecognised() -> Self {
        Self {
            class: Class::Other,
            reach: Reach::default(),
            quota: None,
            limit: None,
            usage: None,
            required: None,
            unit_size: None,
            transient: false,
            is_recognised: false,
        }
    }
}

impl Class {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Level {
    /// Returns the word of the public contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl NamedQuota {
    /// The quota of a row's code and name.
    pub fn coded(code: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            name: name.into(),
        }
    }

    /// The quota that an error calls so.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            code: None,
            name: name.into(),
        }
    }
}
