use std::sync::Arc;

use super::*;
use crate::model::{
    Container, Leased, Limit, LimitSource, Quota, QuotaMarket, Scope, Snapshot, Unit,
    UnknownReason, Usage, UsageRange,
};
use crate::model::{Demand, QuotaIndex};

mod laws;

fn key(code: &str) -> QuotaKey {
    QuotaKey::new("ec2", code)
}

fn amount(number: u32) -> Amount {
    Amount::from(number)
}

fn used(number: u32) -> Usage {
    Usage::Known {
        amount: amount(number),
        as_of: None,
        range: None,
    }
}

fn row(code: &str, limit: Limit, usage: Usage) -> Quota {
    Quota {
        key: key(code),
        name: code.into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit,
        limit_source: LimitSource::Applied,
        usage,
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    }
}

fn at_most(code: &str, limit: u32, usage: Usage) -> Quota {
    row(code, Limit::Known(amount(limit)), usage)
}

fn contained(in_container: &str, quota: Quota) -> Quota {
    let container = Container {
        kind: "project".into(),
        id: in_container.into(),
    };
    Quota {
        container: Some(container),
        ..quota
    }
}

fn index(rows: Vec<Quota>) -> QuotaIndex {
    QuotaIndex::new(Arc::new(Snapshot::new(rows)), Leased::NOTHING)
}

fn takes(draws: &[(&str, Option<u32>)]) -> Demand {
    let mut demand = Demand::default();
    for (code, number) in draws {
        demand.take(key(code), number.map(amount));
    }
    demand
}

fn bound_to(verdict: &Verdict) -> Option<(&str, Option<f64>)> {
    let binding = verdict.binding.as_ref()?;
    Some((&binding.quota.code, binding.required.map(Amount::get)))
}

#[test]
fn a_launch_fits_into_what_is_left() {
    let quotas = index(vec![at_most("P", 400, used(96))]);
    let verdict = judge(&takes(&[("P", Some(100))]), 3, &quotas);
    assert_eq!(verdict.outcome, Outcome::Fits);
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Headroom), Some(3))
    );
    assert_eq!(bound_to(&verdict), Some(("P", Some(300.0))));

    let verdict = judge(&takes(&[("P", Some(100))]), 4, &quotas);
    assert_eq!(verdict.outcome, Outcome::Short(Shortfall::Headroom));
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Headroom), Some(3))
    );
}

#[test]
fn a_rounded_usage_decides_only_where_both_ends_agree() {
    let range = UsageRange {
        least: amount(94),
        most: amount(98),
    };
    let usage = Usage::Known {
        amount: amount(96),
        as_of: None,
        range: Some(range),
    };
    let quotas = index(vec![at_most("P", 200, usage)]);
    for (each, expected, launchable) in [
        (102, Outcome::Fits, Some(1)),
        (103, Outcome::Unknown(UnknownReason::UsageRounded), None),
        (106, Outcome::Unknown(UnknownReason::UsageRounded), None),
        (107, Outcome::Short(Shortfall::Headroom), Some(0)),
        (201, Outcome::Short(Shortfall::Limit), Some(0)),
    ] {
        let verdict = judge(&takes(&[("P", Some(each))]), 1, &quotas);
        assert_eq!(verdict.outcome, expected, "{each}");
        assert_eq!(verdict.launchable, launchable, "{each}");
        assert_eq!(bound_to(&verdict), Some(("P", Some(f64::from(each)))));
    }
    let other = at_most("Q", 10, used(0));
    let quotas = index(vec![at_most("P", 200, usage), other]);
    let verdict = judge(&takes(&[("P", Some(104)), ("Q", Some(11))]), 1, &quotas);
    assert_eq!(verdict.outcome, Outcome::Short(Shortfall::Limit));
}

#[test]
fn what_a_launch_takes_is_rounded_up_once_for_all_instances() {
    let quotas = index(vec![at_most("disk", 3, used(0))]);
    let mut demand = Demand::default();
    demand.take(key("disk"), Amount::new(0.4));
    for (count, required, fits) in [
        (1, 1.0, true),
        (5, 2.0, true),
        (7, 3.0, true),
        (8, 4.0, false),
    ] {
        let verdict = judge(&demand, count, &quotas);
        assert_eq!(
            bound_to(&verdict),
            Some(("disk", Some(required))),
            "{count}"
        );
        assert_eq!(verdict.outcome == Outcome::Fits, fits, "{count}");
    }
}

#[test]
fn what_is_leased_is_not_left() {
    let snapshot = Arc::new(Snapshot::new(vec![at_most("P", 400, used(96))]));
    let mut leased = Leased::NOTHING;
    leased.add(&snapshot.quotas()[0], amount(200));
    let quotas = QuotaIndex::new(snapshot, leased);
    let verdict = judge(&takes(&[("P", Some(100))]), 1, &quotas);
    assert_eq!(verdict.launchable, Some(1));
}

#[test]
fn a_layer_that_inherits_its_limit_takes_no_part_unless_nothing_is_above_it() {
    let inherits = || contained("p", row("gpu", Limit::Inherited, used(90)));
    let above = contained("t", at_most("gpu", 100, used(20)));
    let demand = takes(&[("gpu", Some(10))]);
    let verdict = judge(&demand, 8, &index(vec![inherits(), above]));
    assert_eq!(verdict.outcome, Outcome::Fits);
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Headroom), Some(8))
    );
    let verdict = judge(&demand, 1, &index(vec![inherits()]));
    assert_eq!(verdict.outcome, Outcome::Unknown(UnknownReason::NoLimit));
}

#[test]
fn how_far_short_it_falls_is_told() {
    let short = |limit, usage, each, count| {
        let quotas = index(vec![at_most("P", limit, usage)]);
        match judge(&takes(&[("P", each)]), count, &quotas).outcome {
            Outcome::Short(shortfall) => shortfall,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(short(192, used(96), Some(192), 1), Shortfall::Headroom);
    assert_eq!(short(192, used(96), Some(192), 2), Shortfall::Limit);
    assert_eq!(short(96, used(0), Some(192), 1), Shortfall::Limit);
    assert_eq!(short(96, Usage::Unknown, Some(192), 1), Shortfall::Limit);
    assert_eq!(short(0, used(0), Some(1), 1), Shortfall::Zero);
    assert_eq!(short(0, Usage::Unknown, None, 1), Shortfall::Zero);
}

#[test]
fn a_limit_without_usage_is_an_upper_bound() {
    let quotas = index(vec![at_most("P", 400, Usage::Unknown)]);
    let verdict = judge(&takes(&[("P", Some(192))]), 1, &quotas);
    assert_eq!(verdict.outcome, Outcome::Fits);
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Limit), Some(2))
    );
}

#[test]
fn an_unknown_amount_is_short_only_of_a_limit_of_zero() {
    let demand = takes(&[("P", None)]);
    let verdict = judge(&demand, 1, &index(vec![at_most("P", 0, used(0))]));
    assert_eq!(verdict.outcome, Outcome::Short(Shortfall::Zero));
    assert_eq!(
        (verdict.launchable, bound_to(&verdict)),
        (Some(0), Some(("P", None)))
    );

    // All of it is in use, but that is not what the limit says.
    let verdict = judge(&demand, 1, &index(vec![at_most("P", 8, used(8))]));
    assert_eq!(verdict.outcome, Outcome::Unknown(UnknownReason::NoAmount));
    assert_eq!((verdict.basis, verdict.launchable), (None, None));
    assert_eq!(bound_to(&verdict), Some(("P", None)));
}

#[test]
fn what_is_not_known_is_unknown_and_says_which_quota() {
    let demand = takes(&[("P", Some(8))]);
    let snapshot = Arc::new(Snapshot::new(vec![at_most("P", 0, used(0))]));
    let default_only = Quota {
        limit_source: LimitSource::Default,
        ..at_most("P", 0, Usage::Unknown)
    };
    for (quotas, doubt, has_row) in [
        (
            QuotaIndex::unread(Arc::default()),
            UnknownReason::Unread,
            false,
        ),
        (
            QuotaIndex::expired(snapshot, Leased::NOTHING),
            UnknownReason::Expired,
            true,
        ),
        (
            index(vec![at_most("G", 0, used(0))]),
            UnknownReason::NotListed,
            false,
        ),
        (
            index(vec![row("P", Limit::Unknown, used(0))]),
            UnknownReason::NoLimit,
            true,
        ),
        (index(vec![default_only]), UnknownReason::DefaultOnly, true),
    ] {
        let verdict = judge(&demand, 1, &quotas);
        assert_eq!(verdict.outcome, Outcome::Unknown(doubt));
        assert_eq!((verdict.basis, verdict.launchable), (None, None));
        assert_eq!(bound_to(&verdict), Some(("P", Some(8.0))));
        assert_eq!(verdict.binding.unwrap().row.is_some(), has_row);
    }
}

#[test]
fn an_offer_without_a_known_quota_is_unknown() {
    let unmapped = Demand {
        unmapped: Some("no quota is known for spot instances of p6-b200".into()),
        ..Demand::default()
    };
    for demand in [unmapped, Demand::default()] {
        let verdict = judge(&demand, 1, &index(vec![at_most("P", 0, used(0))]));
        assert_eq!(verdict.outcome, Outcome::Unknown(UnknownReason::Unmapped));
        assert_eq!(verdict.binding, None);
    }
}

#[test]
fn a_known_quota_can_be_short_though_others_are_unknown() {
    let mut demand = takes(&[("P", Some(8)), ("disk", Some(100))]);
    demand.unmapped = Some("nobody knows the rest".into());
    let quotas = index(vec![at_most("disk", 50, used(0))]);
    let verdict = judge(&demand, 1, &quotas);
    assert_eq!(verdict.outcome, Outcome::Short(Shortfall::Limit));
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Limit), Some(0))
    );
    assert_eq!(bound_to(&verdict), Some(("disk", Some(100.0))));
}

#[test]
fn the_quota_that_leaves_the_fewest_launches_binds() {
    let quotas = index(vec![
        at_most("P", 1000, used(0)),
        at_most("disk", 50, used(0)),
    ]);
    let verdict = judge(&takes(&[("P", Some(10)), ("disk", Some(25))]), 1, &quotas);
    assert_eq!(
        (verdict.launchable, bound_to(&verdict)),
        (Some(2), Some(("disk", Some(25.0))))
    );
}

#[test]
fn of_several_containers_the_least_room_counts() {
    let quotas = |rows: [Quota; 2]| {
        let [a, b] = rows;
        index(vec![contained("a", a), contained("b", b)])
    };
    let demand = takes(&[("gpu", Some(4))]);
    let both = quotas([at_most("gpu", 16, used(0)), at_most("gpu", 32, used(28))]);
    let verdict = judge(&demand, 1, &both);
    let place = verdict.binding.unwrap().row;
    assert_eq!(verdict.launchable, Some(1));
    assert_eq!(&*both.container(place).unwrap().id, "b");

    let one_silent = quotas([
        at_most("gpu", 16, used(0)),
        row("gpu", Limit::Unknown, used(0)),
    ]);
    let verdict = judge(&demand, 1, &one_silent);
    assert_eq!(verdict.outcome, Outcome::Unknown(UnknownReason::NoLimit));
    assert_eq!(
        judge(&demand, 5, &one_silent).outcome,
        Outcome::Short(Shortfall::Limit)
    );

    let one_unlimited = quotas([
        row("gpu", Limit::Unlimited, Usage::Unknown),
        at_most("gpu", 16, used(0)),
    ]);
    let verdict = judge(&demand, 1, &one_unlimited);
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Headroom), Some(4))
    );
    assert_eq!(verdict.binding.unwrap().row, Some(1));
}

#[test]
fn without_a_limit_there_is_room_for_all_that_a_reader_can_count() {
    let quotas = index(vec![row("P", Limit::Unlimited, Usage::Unknown)]);
    let verdict = judge(&takes(&[("P", Some(192))]), 10_000, &quotas);
    assert_eq!(verdict.outcome, Outcome::Fits);
    assert_eq!(
        (verdict.basis, verdict.launchable),
        (Some(Basis::Headroom), Some(finding::COUNTLESS))
    );
    assert_eq!(bound_to(&verdict).unwrap().0, "P");
}

#[test]
fn taking_nothing_claims_nothing_of_what_is_not_known() {
    let nothing = takes(&[("disk", Some(0))]);
    let full = Arc::new(Snapshot::new(vec![at_most("disk", 0, used(0))]));
    for (quotas, outcome) in [
        (
            QuotaIndex::unread(Arc::default()),
            Outcome::Unknown(UnknownReason::Unread),
        ),
        (
            QuotaIndex::expired(full.clone(), Leased::NOTHING),
            Outcome::Unknown(UnknownReason::Expired),
        ),
        (
            index(vec![row("disk", Limit::Unknown, used(0))]),
            Outcome::Unknown(UnknownReason::NoLimit),
        ),
        (QuotaIndex::new(full, Leased::NOTHING), Outcome::Fits),
    ] {
        assert_eq!(judge(&nothing, 1, &quotas).outcome, outcome);
    }
}
