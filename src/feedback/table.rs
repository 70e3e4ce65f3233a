//! The shape of a cloud's table: rules that decide by code, by text or by both.

use crate::model::QuotaMarket;

use super::meaning::{Class, Level};

/// The table of one cloud, as it is written down.
pub(super) struct CloudTable {
    /// The rules; of those that match, the first one decides.
    pub(super) rules: &'static [Rule],
    /// Starts of codes that mean the same with and without them.
    pub(super) code_prefixes: &'static [&'static str],
    /// Whether the quota that was exceeded follows from the type and market of the launch.
    pub(super) names_by_type: bool,
    /// Patterns of sentences that state numbers, as [`super::statements`] reads them.
    pub(super) statements: &'static [&'static str],
    /// Names that errors use for a quota, in lower case, and the names of their rows.
    pub(super) synonyms: &'static [(&'static str, &'static str)],
    /// Tells what a quota of this name counts.
    pub(super) counts: fn(&str) -> Counts,
    /// Tells the market of a quota of this name, where the name has it.
    pub(super) market: fn(&str) -> Option<QuotaMarket>,
    /// Patterns of zones, types and regions, as [`super::places`] reads them.
    pub(super) places: &'static [&'static str],
    /// Pattern of the region at the start of a zone's name; empty where zones are named otherwise.
    pub(super) region_of_zone: &'static str,
    /// Pattern of the region in the address that was called; empty where addresses do not tell it.
    pub(super) region_in_addresses: &'static str,
}

impl CloudTable {
    /// A table without a line, for the clouds that need only some of it.
    pub(super) const EMPTY: Self = Self {
        rules: &[],
        code_prefixes: &[],
        names_by_type: false,
        statements: &[],
        synonyms: &[],
        counts: |_| Counts::Machines,
        market: |_| None,
        places: &[],
        region_of_zone: "",
        region_in_addresses: "",
    };
}

/// The things that a quota may count, as far as that decides how far an error reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// Machines, or their processors or accelerators.
    Machines,
    /// Something that a launch needs besides, in its region.
    Resources,
    /// Something of the whole account.
    AccountResources,
    /// Something of another service.
    Service(&'static str),
}

/// One line of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The codes that it is for, `*` at either end standing for anything; by text alone if none.
    pub(super) codes: &'static [&'static str],
    /// A pattern that the text has to have; none is needed if empty.
    pub(super) text: &'static str,
    /// The lowest and highest status that it is for; any if absent.
    pub(super) status: Option<(u16, u16)>,
    pub(super) effect: Effect,
}

/// The effect of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Effect {
    /// The code is too wide, or sums others up: it says nothing by itself.
    SaysNothing,
    /// It is this.
    Means(Found),
}

/// The cause that a rule finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) class: Class,
    pub(super) extent: Extent,
    /// The market, where the rule tells it.
    pub(super) market: Option<QuotaMarket>,
    /// The code and name of the quota, where the rule tells it.
    pub(super) quota: Option<(&'static str, &'static str)>,
    /// The number of the quota's units that one of the error's is; nothing where they do not compare.
    pub(super) unit_size: Option<f64>,
    pub(super) transient: bool,
    /// Whether a resource is the account's, in whatever region.
    pub(super) is_everywhere: bool,
}

/// The reach of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Offer,
    Quota,
    NotOffered,
    AccountRegion,
    Account,
    Api,
    /// A resource of this name, or of the name of the quota.
    Resource(Option<&'static str>),
    OtherService(&'static str),
    Request,
    None,
}

impl Extent {
    pub(super) fn level(self) -> Level {
        match self {
            Self::Offer => Level::Offer,
            Self::Quota => Level::Quota,
            Self::NotOffered => Level::NotOffered,
            Self::AccountRegion => Level::AccountRegion,
            Self::Account => Level::Account,
            Self::Api => Level::Api,
            Self::Resource(_) => Level::Resource,
            Self::OtherService(_) => Level::OtherService,
            Self::Request => Level::Request,
            Self::None => Level::None,
        }
    }
}

/// A rule for these codes.
pub(super) const fn code(codes: &'static [&'static str], found: Found) -> Rule {
    Rule::new(codes, "", Effect::Means(found))
}

/// A rule for these codes with this text.
pub(super) const fn code_with(
    codes: &'static [&'static str],
    text: &'static str,
    found: Found,
) -> Rule {
    Rule::new(codes, text, Effect::Means(found))
}

/// A rule for a text, whatever the code.
pub(super) const fn phrase(text: &'static str, found: Found) -> Rule {
    Rule::new(&[], text, Effect::Means(found))
}

/// A rule for codes that decide nothing by themselves.
pub(super) const fn wide(codes: &'static [&'static str]) -> Rule {
    Rule::new(codes, "", Effect::SaysNothing)
}

impl Rule {
    const fn new(codes: &'static [&'static str], text: &'static str, effect: Effect) -> Self {
        Self {
            codes,
            text,
            status: None,
            effect,
        }
    }

    /// The same for answers with a status in this range only.
    pub(super) const fn with_status(self, lowest: u16, highest: u16) -> Self {
        Self {
            status: Some((lowest, highest)),
            ..self
        }
    }

    pub(super) fn has_status(&self, status: Option<u16>) -> bool {
        let is_within =
            |(lowest, highest)| status.is_some_and(|it| (lowest..=highest).contains(&it));
        self.status.is_none_or(is_within)
    }
}

impl Found {
    pub(super) const fn new(class: Class, extent: Extent) -> Self {
        Self {
            class,
            extent,
            market: None,
            quota: None,
            unit_size: Some(1.0),
            transient: matches!(class, Class::Capacity | Class::Throttle),
            is_everywhere: false,
        }
    }

    pub(super) const fn on_demand(self) -> Self {
        Self {
            market: Some(QuotaMarket::OnDemand),
            ..self
        }
    }

    pub(super) const fn spot(self) -> Self {
        Self {
            market: Some(QuotaMarket::Spot),
            ..self
        }
    }

    pub(super) const fn of(self, code: &'static str, name: &'static str) -> Self {
        Self {
            quota: Some((code, name)),
            ..self
        }
    }

    /// The numbers count something else than the quota does.
    pub(super) const fn in_another_unit(self) -> Self {
        Self {
            unit_size: None,
            ..self
        }
    }

    pub(super) const fn in_units_of(self, size: f64) -> Self {
        Self {
            unit_size: Some(size),
            ..self
        }
    }

    pub(super) const fn transient(self) -> Self {
        Self {
            transient: true,
            ..self
        }
    }
}

pub(super) const QUOTA: Found = Found::new(Class::Quota, Extent::Quota);
pub(super) const CAPACITY: Found = Found::new(Class::Capacity, Extent::Offer);
pub(super) const THROTTLE: Found = Found::new(Class::Throttle, Extent::Api);
pub(super) const CREDENTIALS: Found = Found::new(Class::Credentials, Extent::Account);
pub(super) const CONFIGURATION: Found = Found::new(Class::Configuration, Extent::Request);
pub(super) const NOT_OFFERED: Found = Found::new(Class::Configuration, Extent::NotOffered);
pub(super) const OTHER: Found = Found::new(Class::Other, Extent::None);

/// A limit on something that a launch needs besides the machine.
pub(super) const fn quota_of(resource: &'static str) -> Found {
    Found::new(Class::Quota, Extent::Resource(Some(resource)))
}

/// A want of something that is the caller's own.
pub(super) const fn want_of(resource: &'static str) -> Found {
    Found::new(Class::Other, Extent::Resource(Some(resource)))
}

/// A limit of another service.
pub(super) const fn quota_in(service: &'static str) -> Found {
    Found::new(Class::Quota, Extent::OtherService(service))
}
