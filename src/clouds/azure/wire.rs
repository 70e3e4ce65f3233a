//! The parts of Azure's answers that are read, as they are spelled in JSON.

use serde::Deserialize;

/// A page of any list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    /// Not optional: what has none is no page, such as one of a proxy.
    pub(super) value: Vec<T>,
    pub(super) next_link: Option<String>,
}

/// A quota of a location with its usage.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageRow {
    pub(super) name: UsageName,
    pub(super) limit: Option<i64>,
    pub(super) current_value: Option<i64>,
}

/// The names of a quota.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsageName {
    pub(super) value: String,
    pub(super) localized_value: String,
}

/// A row of the list of SKUs: a size of machines, of disks, of hosts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SkuRow {
    pub(super) resource_type: String,
    pub(super) name: String,
    pub(super) family: Option<String>,
    pub(super) locations: Option<Vec<String>>,
    pub(super) capabilities: Option<Vec<Capability>>,
    pub(super) restrictions: Option<Vec<SkuRestriction>>,
}

/// A property of a SKU; every value is text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Capability {
    pub(super) name: String,
    pub(super) value: String,
}

/// A reason why a SKU cannot be used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SkuRestriction {
    /// `Location` or `Zone`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) values: Option<Vec<String>>,
    pub(super) restriction_info: Option<RestrictionInfo>,
    /// `QuotaId` or `NotAvailableForSubscription`.
    pub(super) reason_code: Option<String>,
}

/// Where a restriction holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RestrictionInfo {
    pub(super) zones: Option<Vec<String>>,
}

/// A family and its quota category.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FamilyRow {
    pub(super) name: String,
    pub(super) properties: FamilyProperties,
}

/// The properties of a family.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FamilyProperties {
    pub(super) category: Option<String>,
    pub(super) provisioning_state: String,
}

/// A refusal, in the envelope that Azure Resource Manager documents or without it, as some
/// providers send it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Refusal {
    Enveloped { error: RefusalBody },
    Bare(RefusalBody),
}

/// A refusal's content.
#[derive(Debug, Deserialize)]
pub(super) struct RefusalBody {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}
