use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::model::{
    Demand, Draw, LimitSource, Quota, QuotaMarket, QuotaState, Scope, Snapshot, Unit, Usage,
};

const HOLD: Duration = Duration::from_secs(180);

fn at(seconds: i64) -> Moment {
    Moment {
        wall: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds),
        since_start: SignedDuration::from_secs(seconds),
    }
}

fn key() -> QuotaKey {
    QuotaKey::new("ec2", "L-1")
}

fn here() -> Region {
    Region::from("us-east-1")
}

fn subject(what: What) -> Subject {
    Subject {
        region: Some(here()),
        zone: None,
        market: Some(Market::OnDemand),
        what,
    }
}

fn of_type(name: &str) -> Subject {
    subject(What::Type(name.into()))
}

fn no_capacity(name: &str) -> Lesson {
    Lesson {
        hold: HOLD,
        launches: Some(Launches::OfType(name.into())),
        numbers: None,
        reason: "no capacity".into(),
    }
}

fn met(from: u32) -> Lesson {
    Lesson {
        hold: HOLD,
        launches: Some(Launches::Drawing {
            quota: key(),
            from: Amount::from(from),
        }),
        numbers: None,
        reason: "met".into(),
    }
}

fn reading(limit: u32, usage: u32) -> Reading {
    let row = Quota {
        key: key(),
        name: "One".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(limit)),
        limit_source: LimitSource::Applied,
        usage: Usage::Known {
            amount: Amount::from(usage),
            as_of: None,
            range: None,
        },
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: QuotaState::Active,
    };
    Reading {
        regions: BTreeMap::from([(here(), Arc::new(Snapshot::new(vec![row])))]),
        ..Reading::default()
    }
}

fn launched(memory: &LaunchMemory, instance_type: &str, market: Market, vcpus: u32) -> bool {
    let demand = Demand {
        draws: vec![Draw {
            quota: key(),
            amount: Some(Amount::from(vcpus)),
        }],
        unmapped: None,
    };
    let launch = AskedLaunch {
        instance_type,
        market,
        demand: &demand,
        count: 1,
    };
    memory.succeeded(&here(), launch)
}

fn count(memory: &LaunchMemory, seconds: i64) -> usize {
    memory.lessons(&here(), at(seconds)).unavailable.len()
}

#[test]
fn each_repetition_holds_longer_and_a_pause_begins_anew() {
    let memory = LaunchMemory::default();
    let note = |seconds| {
        let remembered = memory.note(of_type("p5"), no_capacity("p5"), None, at(seconds));
        remembered.until.until(at(seconds)).as_secs()
    };
    assert_eq!([note(0), note(180), note(540)], [180, 360, 720]);
    assert_eq!([note(1260), note(2700)], [1440, 1440]);
    assert_eq!(note(20_000), 180);
}

#[test]
fn it_ends_by_itself_and_says_when() {
    let memory = LaunchMemory::default();
    memory.note(of_type("p5"), no_capacity("p5"), None, at(0));
    memory.note(of_type("p4"), no_capacity("p4"), None, at(60));
    let lessons = memory.lessons(&here(), at(60));
    assert_eq!(lessons.unavailable.len(), 2);
    assert_eq!(lessons.next_change, Some(at(180)));
    assert_eq!(memory.lessons(&here(), at(100)).id, lessons.id);
    let later = memory.lessons(&here(), at(180));
    assert_eq!(later.unavailable.len(), 1);
    assert_ne!(later.id, lessons.id);
    assert_eq!(memory.lessons(&here(), at(240)).id, 0);
    assert_eq!(memory.lessons(&Region::from("eu-west-1"), at(61)).id, 0);
}

#[test]
fn a_success_clears_all_zones_of_its_type_and_market_alone() {
    let memory = LaunchMemory::default();
    for zone in ["a", "b"] {
        let subject = Subject {
            zone: Some(zone.into()),
            ..of_type("p5")
        };
        memory.note(subject, no_capacity("p5"), None, at(0));
    }
    memory.note(of_type("p4"), no_capacity("p4"), None, at(0));
    assert!(!launched(&memory, "p5", Market::Spot, 1));
    assert_eq!(count(&memory, 1), 3);
    assert!(launched(&memory, "P5", Market::OnDemand, 1));
    assert_eq!(count(&memory, 1), 1);
}

#[test]
fn only_a_launch_as_large_disproves_that_a_quota_was_met() {
    let memory = LaunchMemory::default();
    memory.note(subject(What::Quota(key())), met(96), None, at(0));
    assert!(!launched(&memory, "small", Market::OnDemand, 48));
    assert_eq!(count(&memory, 1), 1);
    assert!(launched(&memory, "large", Market::OnDemand, 96));
    assert_eq!(count(&memory, 1), 0);
}

#[test]
fn a_read_ends_it_only_where_the_row_has_changed_since_it_failed() {
    let memory = LaunchMemory::default();
    let known = reading(96, 0);
    memory.note(subject(What::Quota(key())), met(96), Some(&known), at(10));
    memory.compare(&reading(96, 0), at(20));
    assert_eq!(count(&memory, 20), 1, "the old numbers again");
    memory.compare(&reading(96, 48), at(5));
    assert_eq!(
        count(&memory, 20),
        1,
        "a read that had begun before it failed"
    );
    memory.compare(&Reading::default(), at(30));
    assert_eq!(count(&memory, 30), 1, "a read of other rows");
    memory.compare(&reading(96, 96), at(30));
    assert_eq!(count(&memory, 30), 0, "the usage has caught up");
}

#[test]
fn the_first_read_after_a_failure_in_an_unread_region_is_what_later_ones_differ_from() {
    let memory = LaunchMemory::default();
    memory.note(subject(What::Quota(key())), met(96), None, at(0));
    memory.compare(&reading(96, 0), at(1));
    assert_eq!(count(&memory, 1), 1);
    memory.compare(&reading(192, 0), at(2));
    assert_eq!(count(&memory, 2), 0);
}

#[test]
fn made_up_names_fill_no_memory() {
    let memory = LaunchMemory::default();
    for number in 0..20 * MOST {
        let name = format!("type-{number}");
        memory.note(
            of_type(&name),
            no_capacity(&name),
            None,
            at(number as i64 / 1000),
        );
        memory.lessons(&Region::from(&*name), at(number as i64 / 1000));
    }
    let state = memory.0.lock();
    assert!(state.records.len() <= MOST && state.regions.len() <= MOST);
}

proptest! {
    #[test]
    fn what_is_told_is_in_force(
        failures in proptest::collection::vec((0i64..2000, 0usize..4), 0..40),
        now in 0i64..4000,
    ) {
        let memory = LaunchMemory::default();
        let mut failures = failures;
        failures.sort_unstable();
        for (seconds, name) in failures {
            let name = format!("type-{name}");
            memory.note(of_type(&name), no_capacity(&name), None, at(seconds));
        }
        let now = at(2000 + now);
        let lessons = memory.lessons(&here(), now);
        for known in &lessons.unavailable {
            prop_assert!(now.is_before(known.until));
            prop_assert!(lessons.next_change.is_some_and(|next| !known.until.is_before(next)));
        }
    }
}
