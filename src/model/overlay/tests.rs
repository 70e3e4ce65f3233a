//! Laws of carrying over and merging, for any two readings of one account.

use jiff::{SignedDuration, Timestamp};
use proptest::collection::btree_map;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::model::{Amount, Incomplete, LimitSource, QuotaMarket, Unit};

const USABLE_FOR: Duration = Duration::from_secs(60);

/// When the last reading was taken; rows of its own may be older or newer.
const LAST: i64 = 50;

/// When the new reading was taken.
const NEW: i64 = 100;

fn moment(second: i64) -> Moment {
    Moment {
        wall: Timestamp::from_second(1_800_000_000 + second).unwrap(),
        since_start: SignedDuration::from_secs(second),
    }
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (0..5u32).prop_map(|amount| Limit::Known(Amount::from(amount))),
        Just(Limit::Unlimited),
        Just(Limit::Unknown),
    ]
}

fn usage() -> impl Strategy<Value = Usage> {
    let dated = (0..5u32, of(0..130i64)).prop_map(|(amount, as_of)| Usage::Known {
        amount: Amount::from(amount),
        as_of: as_of.map(|second| moment(second).wall),
        range: None,
    });
    prop_oneof![dated, Just(Usage::Unknown)]
}

/// Row identities few enough that two readings often share some.
fn row_id() -> impl Strategy<Value = RowId> {
    let container = |id: &'static str| Container {
        kind: "project".into(),
        id: id.into(),
    };
    (select(vec!["a", "b", "c"]), of(select(vec!["p", "q"])))
        .prop_map(move |(code, id)| (QuotaKey::new("ec2", code), id.map(container)))
}

prop_compose! {
    fn row()(
        limit in limit(),
        usage in usage(),
        scope in select(vec![Scope::Region, Scope::Global]),
        observed_at in of(0..130i64),
    ) -> Quota {
        Quota {
            key: QuotaKey::new("", ""),
            name: "".into(),
            unit: Unit::Vcpu,
            market: QuotaMarket::Any,
            scope,
            container: None,
            limit,
            limit_source: LimitSource::Applied,
            usage,
            adjustable: None,
            default: None,
            increase_url: None,
            increase_command: None,
            native: None,
            observed_at: observed_at.map(moment),
            state: Default::default(),
        }
    }
}

prop_compose! {
    fn reading()(
        regions in btree_map(select(vec!["r", "s"]), btree_map(row_id(), row(), 0..5), 0..3),
        limits in any::<bool>(),
        usage in any::<bool>(),
    ) -> Reading {
        let named = |((key, container), row)| Quota { key, container, ..row };
        let snapshot = |rows: BTreeMap<_, _>| Arc::new(Snapshot::new(rows.into_iter().map(named).collect()));
        Reading {
            regions: regions.into_iter().map(|(region, rows)| (Region::from(region), snapshot(rows))).collect(),
            incomplete: Incomplete { limits, usage, ..Incomplete::default() },
            ..Reading::default()
        }
    }
}

fn rows(reading: &Reading) -> impl Iterator<Item = (&Region, &Quota)> {
    let regions = reading.regions.iter();
    regions.flat_map(|(region, snapshot)| snapshot.quotas().iter().map(move |row| (region, row)))
}

fn find<'a>(reading: &'a Reading, region: &Region, row: &Quota) -> Option<&'a Quota> {
    let snapshot = reading.regions.get(region)?;
    snapshot.find(&row.key, row.container.as_ref())
}

fn observed_at(row: &Quota, taken_at: i64) -> Moment {
    row.observed_at.unwrap_or(moment(taken_at))
}

fn carried(new: &Reading, last: &Reading, now: i64) -> Reading {
    new.clone()
        .carry_over(last, moment(LAST), moment(now), USABLE_FOR)
}

fn merged(base: &Reading, newer: &Reading) -> Reading {
    base.clone().merge(moment(LAST), newer, moment(NEW))
}

proptest! {
    #[test]
    fn carrying_over_twice_is_carrying_over_once(new in reading(), last in reading(), now in NEW..200i64) {
        let once = carried(&new, &last, now);
        prop_assert_eq!(carried(&once, &last, now), once);
    }

    #[test]
    fn carrying_over_keeps_everything_that_was_read(new in reading(), last in reading(), now in NEW..200i64) {
        let whole = carried(&new, &last, now);
        prop_assert_eq!(whole.regions.len(), new.regions.len());
        for (region, row) in rows(&new) {
            let kept = find(&whole, region, row).expect("no row is lost");
            if row.limit != Limit::Unknown {
                prop_assert_eq!(kept.limit, row.limit);
            }
            if row.usage != Usage::Unknown {
                prop_assert_eq!(kept.usage, row.usage);
            }
        }
    }

    #[test]
    fn a_complete_reading_takes_nothing_from_the_last_one(new in reading(), last in reading()) {
        let complete = Reading { incomplete: Incomplete::default(), ..new };
        prop_assert_eq!(carried(&complete, &last, NEW), complete);
    }

    #[test]
    fn a_limit_carried_over_is_young_enough_and_says_when_it_was_observed(
        new in reading(), last in reading(), now in NEW..200i64,
    ) {
        for (region, row) in rows(&carried(&new, &last, now)) {
            if find(&new, region, row).is_some_and(|new| new.limit == row.limit) {
                continue;
            }
            let old = find(&last, region, row).expect("the limit is of the last reading");
            prop_assert_eq!(row.limit, old.limit);
            prop_assert_eq!(row.observed_at, Some(observed_at(old, LAST)));
            prop_assert!(observed_at(old, LAST).age(moment(now)) < USABLE_FOR);
        }
    }

    /// However often the cloud fails: what is carried over ages all the while, and ends.
    #[test]
    fn a_carried_row_never_grows_younger(last in reading(), steps in proptest::collection::vec(1..30i64, 1..6)) {
        let nothing = Reading {
            regions: last.regions.keys().map(|region| (region.clone(), Arc::default())).collect(),
            incomplete: Incomplete { limits: true, usage: true, restrictions: true },
            ..Reading::default()
        };
        let (mut known, mut taken_at) = (last, LAST);
        for step in steps {
            let now = taken_at + step;
            let next = nothing.clone().carry_over(&known, moment(taken_at), moment(now), USABLE_FOR);
            for (region, row) in rows(&next) {
                let before = find(&known, region, row).expect("it was carried over");
                prop_assert_eq!(row.observed_at, Some(observed_at(before, taken_at)));
                prop_assert!(observed_at(row, now).age(moment(now)) < USABLE_FOR);
            }
            (known, taken_at) = (next, now);
        }
    }

    #[test]
    fn merging_twice_is_merging_once(base in reading(), newer in reading()) {
        let once = merged(&base, &newer);
        prop_assert_eq!(merged(&once, &newer), once);
    }

    #[test]
    fn merging_loses_no_row_and_makes_none_older(base in reading(), newer in reading()) {
        let both = merged(&base, &newer);
        for (readings, taken_at) in [(&base, LAST), (&newer, NEW)] {
            for (region, row) in rows(readings) {
                let kept = find(&both, region, row).expect("no row is lost");
                prop_assert!(!observed_at(kept, LAST).is_before(observed_at(row, taken_at)));
            }
        }
    }

    #[test]
    fn a_merged_row_is_one_of_the_two_as_it_was_read(base in reading(), newer in reading()) {
        for (region, row) in rows(&merged(&base, &newer)) {
            let is_of_base = find(&base, region, row) == Some(row);
            let is_of_newer = newer.regions.keys().filter_map(|region| find(&newer, region, row)).any(|new| {
                *row == Quota { observed_at: Some(observed_at(new, NEW)), ..new.clone() }
            });
            prop_assert!(is_of_base || is_of_newer);
        }
    }

    #[test]
    fn a_full_read_keeps_what_was_verified_while_it_was_under_way(full in reading(), last in reading()) {
        let complete = full.clone().merge(moment(NEW), &last.observed_after(moment(NEW)), moment(LAST));
        for (region, row) in rows(&complete) {
            let is_of_full = find(&full, region, row) == Some(row);
            prop_assert!(is_of_full || row.observed_at.is_some_and(|at| moment(NEW).is_before(at)));
        }
    }
}

#[test]
fn a_verified_global_quota_counts_in_every_region_that_shows_it() {
    let row = |limit: u32| Quota {
        key: QuotaKey::new("compute", "GPUS_ALL_REGIONS"),
        name: "GPUs (all regions)".into(),
        unit: Unit::Gpu,
        market: QuotaMarket::Any,
        scope: Scope::Global,
        container: None,
        limit: Limit::Known(Amount::from(limit)),
        limit_source: LimitSource::Applied,
        usage: Usage::Unknown,
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    };
    let reading = |regions: &[&str], limit| Reading {
        regions: regions
            .iter()
            .map(|name| {
                (
                    Region::from(*name),
                    Arc::new(Snapshot::new(vec![row(limit)])),
                )
            })
            .collect(),
        ..Reading::default()
    };
    let verified = merged(&reading(&["a", "b"], 1), &reading(&["a"], 4));
    let limits: Vec<_> = rows(&verified).map(|(_, row)| row.limit).collect();
    assert_eq!(limits, [Limit::Known(Amount::from(4u32)); 2]);
}
