use std::sync::Arc;

use super::*;
use crate::model::{
    Container, Leased, LimitSource, QuotaKey, QuotaMarket, Scope, Snapshot, Usage, judge,
};

const P: &str = "Running On-Demand P instances";

fn quota(unit: Unit, limit: Limit, usage: Option<f64>) -> Quota {
    let usage = usage.and_then(Amount::new);
    Quota {
        key: QuotaKey::new("ec2", "L-417A185B"),
        name: P.into(),
        unit,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit,
        limit_source: LimitSource::Applied,
        usage: usage.map_or(Usage::Unknown, |amount| Usage::Known {
            amount,
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

fn vcpus(limit: f64, usage: Option<f64>) -> Quota {
    quota(Unit::Vcpu, known(limit), usage)
}

fn known(limit: f64) -> Limit {
    Limit::Known(Amount::new(limit).unwrap())
}

fn demand(amount: Option<f64>) -> Demand {
    let mut demand = Demand::default();
    demand.take(
        QuotaKey::new("ec2", "L-417A185B"),
        amount.and_then(Amount::new),
    );
    demand
}

fn said_of(quotas: &QuotaIndex, demand: &Demand) -> String {
    let verdict = judge(demand, 1, quotas);
    reason(&verdict, demand, quotas, &Region::from("us-east-1"))
}

fn said(row: Quota, amount: Option<f64>) -> String {
    let snapshot = Arc::new(Snapshot::new(vec![row]));
    said_of(&QuotaIndex::new(snapshot, Leased::NOTHING), &demand(amount))
}

#[test]
fn the_sentence_says_what_is_needed_and_what_is_free() {
    assert_eq!(
        said(vcpus(96.0, Some(0.0)), Some(192.0)),
        "needs 192 vCPU of Running On-Demand P instances in us-east-1; 96 of 96 are free"
    );
    assert_eq!(
        said(vcpus(400.0, Some(100.0)), Some(192.0)),
        "needs 192 vCPU of Running On-Demand P instances in us-east-1; 300 of 400 are free"
    );
}

#[test]
fn tebibytes_that_differ_never_read_alike() {
    let tib = |number: f64| known(number * TIB);
    let row = quota(Unit::Byte, tib(100.0), Some(41.0 * TIB));
    let sentence = |gib: f64| said(row.clone(), Some(gib * GIB));
    let of = "of Running On-Demand P instances in us-east-1";
    assert_eq!(
        sentence(60_417.0),
        format!("needs 60417 GiB {of}; 60416 GiB of 100 TiB are free")
    );
    assert_eq!(
        sentence(60_416.0),
        format!("needs 59 TiB {of}; 59 TiB of 100 TiB are free")
    );
    assert_eq!(
        sentence(70_000.0),
        format!("needs 68.36 TiB {of}; 59 TiB of 100 TiB are free")
    );
}

#[test]
fn unknown_usage_is_said_to_be() {
    let row = vcpus(96.0, None);
    assert!(said(row.clone(), Some(192.0)).ends_with("; the limit is 96 and its usage is unknown"));

    let mut leased = Leased::NOTHING;
    leased.add(&row, Amount::from(32u32));
    let quotas = QuotaIndex::new(Arc::new(Snapshot::new(vec![row])), leased);
    assert!(
        said_of(&quotas, &demand(Some(192.0)))
            .ends_with("; the limit is 96, of which 32 are leased and an unknown part is in use")
    );
}

#[test]
fn an_unknown_amount_is_said_to_be() {
    assert_eq!(
        said(vcpus(0.0, Some(0.0)), None),
        "needs an unknown amount of Running On-Demand P instances in us-east-1; 0 of 0 are free"
    );
}

#[test]
fn each_doubt_has_its_words() {
    let default_only = Quota {
        limit_source: LimitSource::Default,
        ..vcpus(5.0, None)
    };
    assert!(
        said(default_only, Some(8.0))
            .ends_with("; only the cloud's default of 5 is known, not the account's limit")
    );
    let undecided = quota(Unit::Vcpu, Limit::Unknown, None);
    assert!(said(undecided, Some(8.0)).ends_with("; its limit is unknown"));
    let boundless = quota(Unit::Vcpu, Limit::Unlimited, None);
    assert!(said(boundless, Some(8.0)).ends_with("; it has no limit"));

    let snapshot = Arc::new(Snapshot::new(vec![vcpus(5.0, None)]));
    let demand = demand(Some(8.0));
    assert!(
        said_of(&QuotaIndex::expired(snapshot, Leased::NOTHING), &demand)
            .ends_with("P instances in us-east-1; what was read of the region has expired")
    );
    assert_eq!(
        said_of(&QuotaIndex::unread(Arc::default()), &demand),
        "needs 8 of L-417A185B in us-east-1; the region has not been read yet"
    );
    assert_eq!(
        said_of(&QuotaIndex::new(Arc::default(), Leased::NOTHING), &demand),
        "needs 8 of L-417A185B in us-east-1; it is not among the quotas that were read"
    );
}

#[test]
fn an_offer_without_a_quota_gives_the_reason_of_its_cloud() {
    let why = "no vCPU quota is known for spot instances of p6-b200";
    let unmapped = Demand {
        unmapped: Some(why.into()),
        ..Demand::default()
    };
    assert_eq!(said_of(&QuotaIndex::unread(Arc::default()), &unmapped), why);
    assert_eq!(
        said_of(&QuotaIndex::unread(Arc::default()), &Demand::default()),
        "no quota is known for it"
    );
}

#[test]
fn a_container_is_named() {
    let container = Container {
        kind: "tenant".into(),
        id: "tenant-e00".into(),
    };
    let row = Quota {
        container: Some(container),
        ..quota(Unit::Gpu, known(16.0), Some(12.0))
    };
    assert_eq!(
        said(row, Some(1.0)),
        "needs 1 GPU of Running On-Demand P instances in us-east-1 (tenant tenant-e00); 4 of 16 are free"
    );
}

#[test]
fn bytes_are_said_in_larger_units() {
    let (gib, tib) = (f64::from(1 << 30), (1u64 << 40) as f64);
    let row = quota(Unit::Byte, known(50.0 * tib), Some(1.5 * tib));
    assert_eq!(
        said(row, Some(500.0 * gib)),
        "needs 500 GiB of Running On-Demand P instances in us-east-1; 48.5 TiB of 50 TiB are free"
    );
}
