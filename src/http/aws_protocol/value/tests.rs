//! Values of made-up rows.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::{Limit, Native, QuotaKey, Scope, Unit, Usage};

const TIB: f64 = (1u64 << 40) as f64;

fn row(name: &str, market: QuotaMarket, limit: Limit, usage: Option<u32>) -> Quota {
    Quota {
        key: QuotaKey::new("ec2", name),
        name: name.into(),
        unit: Unit::Vcpu,
        market,
        scope: Scope::Region,
        container: None,
        limit,
        limit_source: LimitSource::Applied,
        usage: usage.map_or(Usage::Unknown, |amount| Usage::Known {
            amount: amount.into(),
            as_of: None,
            range: None,
        }),
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    }
}

fn known(limit: u32) -> Limit {
    Limit::Known(limit.into())
}

fn on_demand(family: &str, limit: Limit) -> Quota {
    let name = format!("Running On-Demand {family} instances");
    row(&name, QuotaMarket::OnDemand, limit, Some(0))
}

fn spot(families: &str, limit: Limit) -> Quota {
    let name = format!("All {families} Spot Instance Requests");
    row(&name, QuotaMarket::Spot, limit, Some(0))
}

const APPLIED: AwsAnswers = AwsAnswers {
    value: AwsValue::Applied,
    market: AwsMarket::OnDemand,
};
const HEADROOM: AwsAnswers = AwsAnswers {
    value: AwsValue::Headroom,
    market: AwsMarket::OnDemand,
};
const EITHER: AwsAnswers = AwsAnswers {
    value: AwsValue::Applied,
    market: AwsMarket::Either,
};

fn nothing(_: &Quota) -> Amount {
    Amount::ZERO
}

/// As the source tells: the families of P are sold as spot instances against two quotas.
fn twins(on_demand: &QuotaKey) -> Vec<QuotaKey> {
    match &*on_demand.code {
        "Running On-Demand P instances" => ["P4, P3 and P2", "P5"]
            .map(|families| spot(families, known(0)).key)
            .to_vec(),
        _ => Vec::new(),
    }
}

#[test]
fn headroom_is_what_usage_and_leases_leave_and_the_limit_where_usage_is_unknown() {
    let p = |usage| row("P", QuotaMarket::OnDemand, known(192), usage);
    let value = |usage, leased: u32, answers| {
        applied(&p(usage), &[], |_| leased.into(), twins, answers).unwrap()
    };
    assert_eq!(value(Some(96), 32, HEADROOM), 64.0);
    assert_eq!(value(Some(96), 32, APPLIED), 192.0);
    assert_eq!(value(Some(192), 96, HEADROOM), 0.0);
    assert_eq!(value(None, 96, HEADROOM), 192.0);
}

#[test]
fn values_are_in_the_unit_of_aws() {
    let storage = Quota {
        limit: Limit::Known(Amount::new(50.0 * TIB).unwrap()),
        default: Amount::new(20.0 * TIB),
        native: Some(Arc::new(Native {
            unit_size: TIB,
            ..Native::default()
        })),
        ..row("gp3", QuotaMarket::Any, Limit::Unknown, None)
    };
    assert_eq!(applied(&storage, &[], nothing, twins, APPLIED), Ok(50.0));
    assert_eq!(default(&storage), Ok(20.0));
}

#[test]
fn what_is_not_known_is_never_a_number() {
    let value = |limit, limit_source| {
        let row = Quota {
            limit_source,
            ..on_demand("P", limit)
        };
        applied(&row, &[], nothing, twins, APPLIED)
    };
    let unknown = Err(Silence::Unknown);
    assert_eq!(value(Limit::Unknown, LimitSource::Applied), unknown);
    assert_eq!(value(Limit::Unlimited, LimitSource::Applied), unknown);
    let default = value(known(0), LimitSource::Default);
    assert_eq!(default, Err(Silence::NoAppliedValue));
    assert_eq!(value(known(8), LimitSource::Learned), Ok(8.0));
}

#[test]
fn either_is_the_greatest_of_on_demand_and_the_spot_quotas_of_the_same_families() {
    let rows = [
        on_demand("P", known(8)),
        spot("P4, P3 and P2", known(0)),
        spot("P5", known(192)),
        spot("G and VT", known(500)),
    ];
    assert_eq!(applied(&rows[0], &rows, nothing, twins, EITHER), Ok(192.0));
    assert_eq!(applied(&rows[0], &rows, nothing, twins, APPLIED), Ok(8.0));
    // A spot code speaks for itself.
    assert_eq!(applied(&rows[1], &rows, nothing, twins, EITHER), Ok(0.0));
}

#[test]
fn an_unknown_spot_quota_leaves_either_unknown_instead_of_refused() {
    let rows = [on_demand("P", known(0)), spot("P5", Limit::Unknown)];
    let value = applied(&rows[0], &rows, nothing, twins, EITHER);
    assert_eq!(value, Err(Silence::Unknown));
    let default_only = Quota {
        limit_source: LimitSource::Default,
        ..spot("P5", known(0))
    };
    let rows = [on_demand("P", known(0)), default_only];
    let value = applied(&rows[0], &rows, nothing, twins, EITHER);
    assert_eq!(value, Err(Silence::Unknown));
}

proptest! {
    #[test]
    fn headroom_is_never_negative_and_never_above_the_limit(
        limit in 0u32..10_000, usage in proptest::option::of(0u32..20_000), leased in 0u32..20_000,
    ) {
        let p = row("P", QuotaMarket::OnDemand, known(limit), usage);
        let value = applied(&p, &[], |_| leased.into(), twins, HEADROOM).unwrap();
        prop_assert!((0.0..=f64::from(limit)).contains(&value));
    }

    #[test]
    fn either_never_says_less_than_on_demand(on_demand_limit in 0u32..1000, spot_limit in 0u32..1000) {
        let rows = [on_demand("P", known(on_demand_limit)), spot("P5", known(spot_limit))];
        let value = applied(&rows[0], &rows, nothing, twins, EITHER).unwrap();
        prop_assert_eq!(value, f64::from(on_demand_limit.max(spot_limit)));
    }
}
