use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::model::{Draw, LimitSource, QuotaMarket, Unit, Usage};

fn at(second: i64) -> Moment {
    Moment {
        wall: Timestamp::from_second(second).unwrap(),
        since_start: SignedDuration::from_secs(second),
    }
}

fn row(code: &str, scope: Scope, container: Option<&str>, usage: Option<u32>) -> Quota {
    Quota {
        key: QuotaKey::new("compute", code),
        name: code.into(),
        unit: Unit::Gpu,
        market: QuotaMarket::Any,
        scope,
        container: container.map(|id| Container {
            kind: "project".into(),
            id: id.into(),
        }),
        limit: Limit::Known(Amount::from(100u32)),
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

fn lease(id: &str, region: &str, rows: &[Quota], amount: u32, ends: i64) -> Lease {
    let region = Region::from(region);
    let hold = |row: &Quota| Hold {
        place: QuotaPlace::of(row, &region),
        amount: amount.into(),
    };
    Lease {
        id: id.into(),
        backend: "fake".into(),
        unit: "project".into(),
        holds: rows.iter().map(hold).collect(),
        region,
        instance_type: "gpu-1".into(),
        market: Market::OnDemand,
        count: 1,
        backed: true,
        created_at: at(0),
        expires_at: at(ends),
        commitment: None,
    }
}

fn counted(ledger: &Ledger, row: &Quota, region: &str, observed: i64, now: i64) -> f64 {
    let region = Region::from(region);
    let rows = Snapshot::new(vec![row.clone()]);
    let leased = ledger.leased(&region, &rows, |_| Some(at(observed)), at(now), None);
    leased.of(row).get()
}

#[test]
fn a_lease_counts_until_it_expires() {
    let gpus = row("gpus", Scope::Region, None, Some(0));
    let mut ledger = Ledger::default();
    ledger.insert(lease("a", "north", std::slice::from_ref(&gpus), 3, 60));
    ledger.insert(lease("b", "north", std::slice::from_ref(&gpus), 4, 90));
    assert_eq!(counted(&ledger, &gpus, "north", 0, 0), 7.0);
    assert_eq!(counted(&ledger, &gpus, "south", 0, 0), 0.0);
    assert_eq!(ledger.next_change(), Some(SignedDuration::from_secs(60)));

    assert!(ledger.pass(at(59)).ended.is_empty());
    let ended = ledger.pass(at(60)).ended;
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].id.as_str(), "a");
    assert_eq!(counted(&ledger, &gpus, "north", 60, 60), 4.0);

    ledger.renew(&"b".into(), at(200));
    assert!(ledger.pass(at(199)).ended.is_empty());
    assert_eq!(ledger.pass(at(200)).ended.len(), 1);
    assert!(ledger.is_empty() && !ledger.concerns(&"north".into()));
    assert_eq!(ledger.next_change(), None);
}

#[test]
fn a_committed_lease_counts_until_a_late_enough_usage_shows_it() {
    let gpus = row("gpus", Scope::Region, None, Some(0));
    let mut ledger = Ledger::default();
    ledger.insert(lease("a", "north", std::slice::from_ref(&gpus), 3, 60));
    let commitment = Commitment {
        at: at(10),
        shown_from: at(310),
    };
    ledger.commit(&"a".into(), commitment, at(4000));
    assert!(ledger.pass(at(100)).ended.is_empty());
    assert_eq!(counted(&ledger, &gpus, "north", 309, 400), 3.0);
    assert_eq!(counted(&ledger, &gpus, "north", 310, 400), 0.0);
    // A report that the cloud made earlier shows less than its call would.
    let mut dated = gpus.clone();
    dated.usage = Usage::Known {
        amount: Amount::ZERO,
        as_of: Some(at(300).wall),
        range: None,
    };
    assert_eq!(counted(&ledger, &dated, "north", 400, 400), 3.0);
    // Without usage, no read could show it.
    let unknown = row("gpus", Scope::Region, None, None);
    assert_eq!(counted(&ledger, &unknown, "north", 309, 309), 3.0);
    assert_eq!(counted(&ledger, &unknown, "north", 309, 310), 0.0);

    let again = Commitment {
        at: at(200),
        shown_from: at(500),
    };
    ledger.commit(&"a".into(), again, at(9000));
    assert_eq!(
        ledger.get(&"a".into()).unwrap().commitment,
        Some(commitment)
    );
    assert!(ledger.settle(|_| Some(at(309))).is_empty());
    assert!(ledger.settle(|_| None).is_empty());
    assert_eq!(ledger.settle(|_| Some(at(310))).len(), 1);
    assert!(ledger.is_empty());
}

#[test]
fn a_committed_lease_ends_also_if_nobody_reads() {
    let gpus = row("gpus", Scope::Region, None, Some(0));
    let mut ledger = Ledger::default();
    ledger.insert(lease("a", "north", &[gpus], 3, 60));
    ledger.insert(lease("unbacked", "north", &[], 0, 60));
    for id in ["a", "unbacked"] {
        let commitment = Commitment {
            at: at(10),
            shown_from: at(310),
        };
        ledger.commit(&id.into(), commitment, at(3910));
    }
    let passed = ledger.pass(at(310));
    assert_eq!(passed.ended[0].id.as_str(), "unbacked");
    assert_eq!(passed.shown, [LeaseId::from("a")]);
    assert_eq!(ledger.pass(at(3910)).ended.len(), 1);
    assert!(ledger.is_empty());
}

#[test]
fn a_global_quota_is_one_for_all_regions_and_containers_are_apart() {
    let everywhere = row("all", Scope::Global, None, Some(0));
    let [own, other] = ["own", "other"].map(|id| row("gpus", Scope::Region, Some(id), Some(0)));
    let mut ledger = Ledger::default();
    let held = [everywhere.clone(), own.clone()];
    ledger.insert(lease("a", "north", &held, 2, 60));
    for (row, region, amount) in [
        (&everywhere, "north", 2.0),
        (&everywhere, "south", 2.0),
        (&own, "north", 2.0),
        (&own, "south", 0.0),
        (&other, "north", 0.0),
    ] {
        assert_eq!(
            counted(&ledger, row, region, 0, 0),
            amount,
            "{row:?} {region}"
        );
    }
    assert!(ledger.concerns(&"south".into()));
}

#[test]
fn a_launch_holds_whole_amounts_of_what_limits_it() {
    let unlimited = Quota {
        limit: Limit::Unlimited,
        ..row("ips", Scope::Region, None, Some(0))
    };
    let rows = Snapshot::new(vec![
        row("gpus", Scope::Region, Some("own"), Some(0)),
        row("gpus", Scope::Global, None, None),
        row("disk", Scope::Region, None, Some(0)),
        unlimited,
    ]);
    let draw = |code: &str, amount: f64| Draw {
        quota: QuotaKey::new("compute", code),
        amount: Amount::new(amount),
    };
    let demand = Demand {
        draws: vec![draw("gpus", 8.0), draw("disk", 0.4), draw("ips", 1.0)],
        unmapped: None,
    };
    let holds = holds(&demand, 3, &rows, &"north".into());
    let shown: Vec<_> = holds
        .iter()
        .map(|hold| {
            let region = hold.place.region.as_ref().map(Region::as_str);
            (&*hold.place.key.code, region, hold.amount.get())
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("gpus", None, 24.0),
            ("gpus", Some("north"), 24.0),
            ("disk", Some("north"), 2.0)
        ]
    );
}

/// A step in the life of a few leases.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take(u8, u32, i64),
    Commit(u8, i64),
    Renew(u8, i64),
    Release(u8),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0u8..5;
    let step = prop_oneof![
        (id.clone(), 1u32..50, 1i64..100).prop_map(|(id, amount, ttl)| Step::Take(id, amount, ttl)),
        (id.clone(), 0i64..50).prop_map(|(id, delay)| Step::Commit(id, delay)),
        (id.clone(), 1i64..100).prop_map(|(id, ttl)| Step::Renew(id, ttl)),
        id.prop_map(Step::Release),
        (0i64..40).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    /// The sums that the ledger keeps are those of the leases that it has.
    #[test]
    fn what_is_counted_is_the_sum_of_the_leases(steps in steps(), observed in 0i64..300) {
        let gpus = row("gpus", Scope::Region, None, Some(0));
        let mut ledger = Ledger::default();
        let mut now = 0;
        for step in steps {
            let id = |id: u8| LeaseId::from(&*id.to_string());
            match step {
                Step::Take(number, amount, ttl) => {
                    let new = lease(&number.to_string(), "north", std::slice::from_ref(&gpus), amount, now + ttl);
                    ledger.insert(new);
                }
                Step::Commit(number, delay) => {
                    let shown_from = at(now + delay);
                    let ends = shown_from.plus(Duration::from_secs(60));
                    ledger.commit(&id(number), Commitment { at: at(now), shown_from }, ends);
                }
                Step::Renew(number, ttl) => ledger.renew(&id(number), at(now + ttl)),
                Step::Release(number) => drop(ledger.remove(&id(number))),
                Step::Pass(seconds) => now += seconds,
            }
            ledger.pass(at(now));
            let counts = |lease: &&Lease| match lease.commitment {
                None => true,
                Some(commitment) => at(observed).is_before(commitment.shown_from),
            };
            let leases: Vec<_> = ledger.leases().cloned().collect();
            let sum: f64 = leases.iter().filter(counts).map(|lease| lease.holds[0].amount.get()).sum();
            prop_assert_eq!(counted(&ledger, &gpus, "north", observed, now), sum);
            prop_assert!(leases.iter().all(|lease| at(now).is_before(lease.expires_at)));
            prop_assert_eq!(ledger.concerns(&"north".into()), !leases.is_empty());
            for lease in &leases {
                let region = Region::from("north");
                let rows = Snapshot::new(vec![gpus.clone()]);
                let without = ledger.leased(&region, &rows, |_| Some(at(observed)), at(now), Some(&lease.id));
                let own = if counts(&lease) { lease.holds[0].amount.get() } else { 0.0 };
                prop_assert_eq!(without.of(&gpus).get(), sum - own);
            }
        }
        ledger.pass(at(now + 1000));
        prop_assert!(ledger.is_empty());
        prop_assert_eq!(ledger.held().count(), 0);
    }
}
