//! A row of ours as the `ServiceQuota` structure of the service model.

use serde_json::{Map, Value};

use crate::model::{Quota, Scope};

/// The members of an error in the place of a value; what is shown here has a value.
const ERROR_REASON: &str = "ErrorReason";

/// The dimension of a usage metric that tells instance families apart.
const CLASS: &str = "UsageMetric.MetricDimensions.Class";

const ARN: &str = "QuotaArn";

/// The field of an ARN that holds the account ("Amazon Resource Names", IAM User Guide).
const ARN_ACCOUNT: usize = 4;

/// The quota with the value that applies to the account.
pub(super) fn applied(row: &Quota, value: f64) -> Value {
    members(row, value).into()
}

/// The quota with the value that AWS publishes, whose ARN names no account.
pub(super) fn default(row: &Quota, value: f64) -> Value {
    let mut members = members(row, value);
    if let Some(Value::String(arn)) = members.get_mut(ARN) {
        *arn = without_account(arn);
    }
    members.into()
}

/// Whether a listing is better off without the row: dstack before 0.20.17 reads the `Class` of
/// every quota with this in its name, and loses all offers where there is none.
pub(super) fn upsets_old_clients(row: &Quota) -> bool {
    let has_class = row
        .native
        .as_ref()
        .is_some_and(|native| native.members.contains_key(CLASS));
    row.name.contains("On-Demand") && !has_class
}

fn members(row: &Quota, value: f64) -> Map<String, Value> {
    let mut members = Map::new();
    for (path, text) in row.native.iter().flat_map(|native| &native.members) {
        if !path.starts_with(ERROR_REASON) {
            put(&mut members, path, text);
        }
    }
    let mut set = |member: &str, value: Value| members.insert(member.to_owned(), value);
    set("ServiceCode", (*row.key.service).into());
    set("QuotaCode", (*row.key.code).into());
    set("QuotaName", (*row.name).into());
    set("Value", value.into());
    if let Some(adjustable) = row.adjustable {
        set("Adjustable", adjustable.into());
    }
    set("GlobalQuota", (row.scope == Scope::Global).into());
    // Only quotas of the account are read.
    set("QuotaAppliedAtLevel", "ACCOUNT".into());
    members
}

/// Puts a member where its dotted path says; the name of a metric's dimension is the last of at
/// most three parts and may itself hold dots.
fn put(members: &mut Map<String, Value>, path: &str, text: &str) {
    let mut parts: Vec<_> = path.splitn(3, '.').collect();
    let Some(last) = parts.pop() else { return };
    let mut place = members;
    for part in parts {
        let inner = place
            .entry(part)
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return };
        place = inner;
    }
    place.insert(last.to_owned(), text.into());
}

fn without_account(arn: &str) -> String {
    let mut fields: Vec<_> = arn.split(':').collect();
    if let Some(account) = fields.get_mut(ARN_ACCOUNT) {
        *account = "";
    }
    fields.join(":")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::{Amount, Limit, LimitSource, Native, QuotaKey, QuotaMarket, Unit, Usage};

    fn row(members: &[(&str, &str)]) -> Quota {
        let members = members
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Quota {
            observed_at: None,
            state: Default::default(),
            key: QuotaKey::new("ec2", "L-417A185B"),
            name: "Running On-Demand P instances".into(),
            unit: Unit::Vcpu,
            market: QuotaMarket::OnDemand,
            scope: Scope::Region,
            container: None,
            limit: Limit::Known(Amount::ZERO),
            limit_source: LimitSource::Learned,
            usage: Usage::Unknown,
            adjustable: Some(true),
            default: None,
            increase_url: None,
            increase_command: None,
            native: Some(Arc::new(Native {
                unit_size: 1.0,
                members: members.collect(),
            })),
        }
    }

    #[test]
    fn dotted_paths_become_nested_members_and_a_value_replaces_an_error() {
        let shown = applied(
            &row(&[
                ("ErrorReason.ErrorCode", "DEPENDENCY_THROTTLING_ERROR"),
                ("Unit", "None"),
                ("UsageMetric.MetricDimensions.Class", "P/OnDemand"),
                ("UsageMetric.MetricDimensions.a.b", "c"),
                ("UsageMetric.MetricName", "ResourceCount"),
            ]),
            8.0,
        );
        let dimensions = json!({"Class": "P/OnDemand", "a.b": "c"});
        assert_eq!(
            shown,
            json!({
                "ServiceCode": "ec2", "QuotaCode": "L-417A185B",
                "QuotaName": "Running On-Demand P instances", "Value": 8.0, "Unit": "None",
                "Adjustable": true, "GlobalQuota": false, "QuotaAppliedAtLevel": "ACCOUNT",
                "UsageMetric": {"MetricName": "ResourceCount", "MetricDimensions": dimensions},
            })
        );
    }

    #[test]
    fn an_on_demand_row_without_a_class_is_not_for_listings() {
        assert!(upsets_old_clients(&row(&[])));
        assert!(!upsets_old_clients(&row(&[(CLASS, "P/OnDemand")])));
        let other = Quota {
            name: "All P5 Spot Instance Requests".into(),
            ..row(&[])
        };
        assert!(!upsets_old_clients(&other));
    }
}
