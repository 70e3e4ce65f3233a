//! A row of Service Quotas as a row of ours: names, units and where to ask for more.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_servicequotas::types::ServiceQuota;

use crate::model::{
    AccountId, Amount, Failure, FailureKind, Limit, LimitSource, Native, Quota, QuotaKey,
    QuotaMarket, Region, Scope, TIB, Unit, Usage,
};

use super::known_codes::is_counted_in_tib;
use super::regions::increase_url;
use super::vcpu_quotas::VCPU_QUOTAS;

/// Where a row says why it has no value.
const ERROR_CODE: &str = "ErrorReason.ErrorCode";

/// The facts about a code before AWS says anything.
struct Kind {
    name: Option<&'static str>,
    unit: Unit,
    unit_size: f64,
    market: QuotaMarket,
    default: Option<Amount>,
}

fn kind(service: &str, code: &str) -> Kind {
    let plain = Kind {
        name: None,
        unit: Unit::Count,
        unit_size: 1.0,
        market: QuotaMarket::Any,
        default: None,
    };
    match service {
        "ec2" => match VCPU_QUOTAS.iter().find(|quota| quota.code == code) {
            Some(vcpu) => Kind {
                name: Some(vcpu.name),
                unit: Unit::Vcpu,
                market: vcpu.market.into(),
                default: Some(Amount::from(vcpu.default)),
                ..plain
            },
            None => plain,
        },
        service if is_counted_in_tib(service, code) => Kind {
            unit: Unit::Byte,
            unit_size: TIB,
            ..plain
        },
        _ => plain,
    }
}

/// The row that AWS answered with, or why it is none.
pub(super) fn quota(
    answer: &ServiceQuota,
    source: LimitSource,
    region: &Region,
) -> Result<Quota, Failure> {
    let (Some(service), Some(code)) = (answer.service_code(), answer.quota_code()) else {
        return Err(Failure::new(
            FailureKind::Malformed,
            "a quota came without its service or code",
        ));
    };
    let kind = kind(service, code);
    let scaled = |value: f64| Amount::new(value * kind.unit_size);
    // A row that carries an error has no value, or one without meaning: unknown, never 0.
    let limit = match (answer.error_reason(), answer.value()) {
        (None, Some(value)) => scaled(value).map_or(Limit::Unknown, Limit::Known),
        _ => Limit::Unknown,
    };
    let default = match source {
        LimitSource::Default => limit.known(),
        _ => None,
    };
    Ok(Quota {
        observed_at: None,
        state: Default::default(),
        key: QuotaKey::new(service, code),
        name: in_short(answer.quota_name().or(kind.name).unwrap_or(code)).into(),
        unit: kind.unit,
        market: kind.market,
        scope: match answer.global_quota() {
            true => Scope::Global,
            false => Scope::Region,
        },
        container: None,
        limit,
        limit_source: source,
        usage: Usage::Unknown,
        adjustable: Some(answer.adjustable()),
        default: default.or(kind.default),
        increase_url: increase_url(region, service, code).map(Into::into),
        increase_command: None,
        native: Some(Arc::new(native(answer, kind.unit_size))),
    })
}

/// The longest part of a name that is kept; AWS's own are a fifth as long at most.
const LONGEST_NAME: usize = 500;

fn in_short(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

/// Returns the row of a quota before AWS is asked.
pub(super) fn placeholder_quotas(key: &QuotaKey, region: &Region) -> Quota {
    let (service, code) = (&*key.service, &*key.code);
    let kind = kind(service, code);
    Quota {
        key: key.clone(),
        name: kind.name.unwrap_or(code).into(),
        unit: kind.unit,
        market: kind.market,
        scope: Scope::Region,
        container: None,
        limit: Limit::Unknown,
        limit_source: LimitSource::Applied,
        usage: Usage::Unknown,
        adjustable: None,
        default: None,
        increase_url: increase_url(region, service, code).map(Into::into),
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    }
}

/// The account that a row belongs to, which its ARN tells without another permission.
pub(super) fn account(quota: &Quota) -> Option<AccountId> {
    let arn = quota.native.as_ref()?.members.get("QuotaArn")?;
    let account = arn.split(':').nth(4)?;
    (!account.is_empty()).then(|| AccountId::new(account))
}

/// Returns what AWS could not tell for now of these rows, one failure for each of its reasons.
///
/// A row without a value for another reason is no failure: its limit is unknown, and stays so.
pub(super) fn transient_row_errors<'a>(quotas: impl Iterator<Item = &'a Quota>) -> Vec<Failure> {
    let mut troubled = BTreeMap::<&str, Vec<&QuotaKey>>::new();
    for quota in quotas {
        let members = quota.native.as_ref().map(|native| &native.members);
        if let Some(reason) = members.and_then(|members| members.get(ERROR_CODE)) {
            troubled.entry(reason).or_default().push(&quota.key);
        }
    }
    let trouble = |(reason, keys): (&str, Vec<&QuotaKey>)| {
        let kind = match reason {
            "DEPENDENCY_THROTTLING_ERROR" => FailureKind::Throttled,
            "DEPENDENCY_SERVICE_ERROR" => FailureKind::Unavailable,
            _ => return None,
        };
        let more = match keys.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let detail = format!("AWS cannot tell {}{more} for now: {reason}", keys[0]);
        Some(Failure::new(kind, detail))
    };
    troubled.into_iter().filter_map(trouble).collect()
}

/// How many of our units make one of AWS's.
pub(super) fn unit_size(quota: &Quota) -> f64 {
    quota.native.as_ref().map_or(1.0, |native| native.unit_size)
}

fn native(answer: &ServiceQuota, unit_size: f64) -> Native {
    let mut members = BTreeMap::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value.to_owned());
        }
    };
    put("QuotaArn", answer.quota_arn());
    put("ServiceName", answer.service_name());
    put("Unit", answer.unit());
    put("Description", answer.description());
    if let Some(error) = answer.error_reason() {
        put(ERROR_CODE, error.error_code().map(|code| code.as_str()));
        put("ErrorReason.ErrorMessage", error.error_message());
    }
    if let Some(metric) = answer.usage_metric() {
        put("UsageMetric.MetricNamespace", metric.metric_namespace());
        put("UsageMetric.MetricName", metric.metric_name());
        put(
            "UsageMetric.MetricStatisticRecommendation",
            metric.metric_statistic_recommendation(),
        );
        for (name, value) in metric.metric_dimensions().into_iter().flatten() {
            put(&format!("UsageMetric.MetricDimensions.{name}"), Some(value));
        }
    }
    Native { unit_size, members }
}
