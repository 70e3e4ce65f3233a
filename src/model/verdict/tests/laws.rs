//! Laws that hold for every demand and every set of quotas.

use std::collections::BTreeMap;

use proptest::prelude::*;
use strum::VariantArray;

use super::*;
use crate::model::{Availability, Decision, Strictness, UsageRange, decide};

const CODES: [&str; 3] = ["a", "b", "c"];

fn limits() -> impl Strategy<Value = Limit> {
    prop_oneof![
        6 => (0u32..300).prop_map(|limit| Limit::Known(amount(limit))),
        2 => Just(Limit::Known(Amount::ZERO)),
        1 => Just(Limit::Unlimited),
        1 => Just(Limit::Inherited),
        1 => Just(Limit::Unknown),
    ]
}

fn usages() -> impl Strategy<Value = Usage> {
    let rounded = (0u32..300, 0u32..20, 0u32..20).prop_map(|(number, below, above)| Usage::Known {
        amount: amount(number),
        as_of: None,
        range: Some(UsageRange {
            least: amount(number.saturating_sub(below)),
            most: amount(number + above),
        }),
    });
    prop_oneof![
        2 => (0u32..300).prop_map(used),
        2 => rounded,
        1 => Just(Usage::Unknown),
    ]
}

prop_compose! {
    fn rows()(
        code in proptest::sample::select(CODES.to_vec()),
        limit in limits(),
        usage in usages(),
        default_only in proptest::bool::weighted(0.1),
        container in proptest::option::of(proptest::sample::select(vec!["x", "y"])),
    ) -> Quota {
        let source = if default_only { LimitSource::Default } else { LimitSource::Applied };
        let quota = Quota { limit_source: source, ..row(code, limit, usage) };
        match container {
            Some(container) => contained(container, quota),
            None => quota,
        }
    }
}

fn demands() -> impl Strategy<Value = Demand> {
    let draws = proptest::sample::subsequence(CODES.to_vec(), 0..=3).prop_flat_map(|codes| {
        let amounts =
            proptest::collection::vec(proptest::option::weighted(0.9, 0u32..50), codes.len());
        (Just(codes), amounts)
    });
    (draws, proptest::bool::weighted(0.1)).prop_map(|((codes, amounts), unmapped)| {
        let draws: Vec<_> = codes.into_iter().zip(amounts).collect();
        let mut demand = takes(&draws);
        demand.unmapped = unmapped.then(|| "nobody knows".to_owned());
        demand
    })
}

fn leases() -> impl Strategy<Value = BTreeMap<QuotaKey, Amount>> {
    proptest::collection::btree_map(
        proptest::sample::select(CODES.to_vec()).prop_map(key),
        (0u32..100).prop_map(amount),
        0..3,
    )
}

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<Quota>,
    leased: BTreeMap<QuotaKey, Amount>,
    demand: Demand,
    count: u32,
}

prop_compose! {
    fn cases()(
        rows in proptest::collection::vec(rows(), 0..6),
        leased in leases(),
        demand in demands(),
        count in 1u32..8,
    ) -> Case {
        Case { rows, leased, demand, count }
    }
}

impl Case {
    fn quotas(&self) -> QuotaIndex {
        let snapshot = Arc::new(Snapshot::new(self.rows.clone()));
        let leased = self.leased(&snapshot);
        QuotaIndex::new(snapshot, leased)
    }

    fn leased(&self, snapshot: &Snapshot) -> Leased {
        let mut leased = Leased::NOTHING;
        for row in snapshot.quotas() {
            let amount = self.leased.get(&row.key).copied();
            leased.add(row, amount.unwrap_or_default());
        }
        leased
    }

    fn verdict(&self) -> Verdict {
        judge(&self.demand, self.count, &self.quotas())
    }

    fn outcome(&self) -> &'static str {
        self.verdict().outcome.as_str()
    }
}

fn more(limit: Limit, by: u32) -> Limit {
    match limit {
        Limit::Known(known) => Limit::Known(known + amount(by)),
        other => other,
    }
}

fn more_used(usage: Usage, by: u32) -> Usage {
    match usage {
        Usage::Known {
            amount: known,
            as_of,
            range,
        } => Usage::Known {
            amount: known + amount(by),
            as_of,
            range: range.map(|range| UsageRange {
                least: range.least + amount(by),
                most: range.most + amount(by),
            }),
        },
        other => other,
    }
}

proptest! {
    #[test]
    fn more_limit_never_turns_fits_into_short(case in cases(), which in any::<prop::sample::Index>(), by in 0u32..500) {
        let mut richer = case.clone();
        if !richer.rows.is_empty() {
            let row = which.get(&richer.rows).clone();
            richer.rows[which.index(case.rows.len())].limit = more(row.limit, by);
        }
        if case.outcome() == "fits" {
            prop_assert_eq!(richer.outcome(), "fits");
        }
    }

    #[test]
    fn more_usage_never_turns_short_into_fits(case in cases(), which in any::<prop::sample::Index>(), by in 0u32..500) {
        let mut fuller = case.clone();
        if !fuller.rows.is_empty() {
            let row = which.get(&fuller.rows).clone();
            fuller.rows[which.index(case.rows.len())].usage = more_used(row.usage, by);
        }
        if case.outcome() == "short" {
            prop_assert_eq!(fuller.outcome(), "short");
        }
    }

    #[test]
    fn more_leases_never_turn_short_into_fits(case in cases(), code in 0usize..3, by in 0u32..500) {
        let mut fuller = case.clone();
        *fuller.leased.entry(key(CODES[code])).or_default() = amount(by)
            + case.leased.get(&key(CODES[code])).copied().unwrap_or_default();
        if case.outcome() == "short" {
            prop_assert_eq!(fuller.outcome(), "short");
        }
    }

    #[test]
    fn more_instances_never_turn_short_into_fits(case in cases(), by in 0u32..10) {
        let larger = Case { count: case.count + by, ..case.clone() };
        if case.outcome() == "short" {
            prop_assert_eq!(larger.outcome(), "short");
        }
    }

    #[test]
    fn forgetting_a_row_never_makes_it_short(case in cases(), which in any::<prop::sample::Index>(), how in 0u8..5) {
        let mut dimmer = case.clone();
        if !dimmer.rows.is_empty() {
            let place = which.index(dimmer.rows.len());
            match how {
                0 => { dimmer.rows.remove(place); }
                1 => dimmer.rows[place].limit = Limit::Unknown,
                2 => dimmer.rows[place].limit_source = LimitSource::Default,
                3 => dimmer.rows[place].limit = Limit::Inherited,
                _ => dimmer.rows[place].usage = Usage::Unknown,
            }
        }
        if case.outcome() != "short" {
            prop_assert_ne!(dimmer.outcome(), "short");
        }
    }

    #[test]
    fn nothing_rests_on_what_is_expired_or_was_never_read(case in cases()) {
        let snapshot = Arc::new(Snapshot::new(case.rows.clone()));
        let expired = QuotaIndex::expired(Arc::clone(&snapshot), case.leased(&snapshot));
        for quotas in [expired, QuotaIndex::unread(snapshot)] {
            let verdict = judge(&case.demand, case.count, &quotas);
            prop_assert_eq!(verdict.outcome.as_str(), "unknown");
            for &strictness in Strictness::VARIANTS {
                let decision = decide(verdict.outcome, strictness, false, false);
                prop_assert_ne!(decision.availability, Availability::NoQuota);
            }
        }
    }

    #[test]
    fn it_fits_exactly_when_so_many_are_launchable(case in cases()) {
        let verdict = case.verdict();
        let enough = verdict.launchable.map(|launchable| launchable >= u64::from(case.count));
        let expected = match verdict.outcome {
            Outcome::Fits => Some(true),
            Outcome::Short(_) => Some(false),
            Outcome::Unknown(_) => None,
        };
        prop_assert_eq!(enough, expected);
        prop_assert_eq!(verdict.basis.is_some(), expected.is_some());
        prop_assert!(expected.is_none() || verdict.binding.is_some());
    }

    #[test]
    fn what_is_launchable_does_not_depend_on_how_many_are_asked_for(case in cases(), count in 1u32..100) {
        let other = Case { count, ..case.clone() };
        if let (Some(some), Some(others)) = (case.verdict().launchable, other.verdict().launchable) {
            prop_assert_eq!(some, others);
        }
    }

    #[test]
    fn an_outlook_agrees_with_the_verdict_on_every_count(case in cases(), count in 1u32..100) {
        let case = Case { count, ..case };
        let verdict = case.verdict();
        let outlook = Outlook::new(&case.demand, &case.quotas());
        prop_assert_eq!(outlook.outcome(count), verdict.outcome);
        prop_assert_eq!(outlook.launchable(count), verdict.launchable);
    }

    #[test]
    fn a_milder_strictness_never_refuses_more(case in cases(), full in any::<bool>()) {
        let outcome = case.verdict().outcome;
        let refused = |strictness| {
            decide(outcome, strictness, false, full).availability == Availability::NoQuota
        };
        prop_assert!(!refused(Strictness::Off));
        prop_assert!(Strictness::VARIANTS.iter().map(|each| refused(*each)).is_sorted());
        for &strictness in Strictness::VARIANTS {
            let Decision { availability, shadow } = decide(outcome, strictness, true, full);
            prop_assert_ne!(availability, Availability::NoQuota);
            prop_assert_eq!(shadow == Some(Availability::NoQuota), refused(strictness));
        }
    }
}
