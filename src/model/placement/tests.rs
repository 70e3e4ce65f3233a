//! Placements compared with those that are found node by node.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::model::{
    Amount, Demand, Leased, Limit, LimitSource, Quota, QuotaIndex, QuotaKey, QuotaMarket,
    QuotaState, Scope, Snapshot, Unit, Usage,
};

const CODES: [&str; 3] = ["cpus", "gpus", "instances"];

/// A small region: for each quota its limit, if it is known, and its usage, if that is.
type Room = [(Option<u32>, Option<u32>); 3];

/// A type of a small catalog.
#[derive(Clone, Debug)]
struct Type {
    gpus: u32,
    /// The amount that a node takes of each quota.
    takes: [u32; 3],
    price: Option<f64>,
}

fn rooms() -> impl Strategy<Value = Room> {
    let limit = proptest::option::weighted(0.9, 0u32..120);
    let usage = proptest::option::weighted(0.8, 0u32..120);
    proptest::array::uniform3((limit, usage))
}

prop_compose! {
    fn types()(
        gpus in 1u32..9,
        takes in proptest::array::uniform3(0u32..30),
        price in proptest::option::weighted(0.8, 0u32..50),
    ) -> Type {
        Type { gpus, takes, price: price.map(f64::from) }
    }
}

fn index(room: Room) -> QuotaIndex {
    let rows = CODES.iter().zip(room).map(|(code, (limit, usage))| Quota {
        key: QuotaKey::new("compute", *code),
        name: (*code).into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::Any,
        scope: Scope::Region,
        container: None,
        limit: limit.map_or(Limit::Unknown, |limit| Limit::Known(Amount::from(limit))),
        limit_source: LimitSource::Applied,
        usage: usage.map_or(Usage::Unknown, |usage| Usage::Known {
            amount: Amount::from(usage),
            as_of: None,
            range: None,
        }),
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: QuotaState::default(),
    });
    QuotaIndex::new(Arc::new(Snapshot::new(rows.collect())), Leased::NOTHING)
}

fn demand(one: &Type) -> Demand {
    let mut demand = Demand::default();
    for (code, amount) in CODES.iter().zip(one.takes) {
        demand.take(QuotaKey::new("compute", *code), Some(Amount::from(amount)));
    }
    demand
}

/// Starts node after node until the GPUs have a place or a quota is exhausted.
fn by_hand(wanted: u32, one: &Type, room: Room) -> Placement {
    let free = |limit: u32, usage: Option<u32>| limit.saturating_sub(usage.unwrap_or(0));
    let mut left = room.map(|(limit, usage)| Some(i64::from(free(limit?, usage))));
    let (mut nodes, mut placed, mut gpus) = (0, 0, 0);
    let mut is_short = false;
    while gpus < u64::from(wanted) {
        nodes += 1;
        gpus += u64::from(one.gpus);
        for (left, takes) in left.iter_mut().zip(one.takes) {
            *left = left.map(|left| left - i64::from(takes));
        }
        is_short |= left.iter().flatten().any(|left| *left < 0);
        if !is_short {
            placed += one.gpus;
        }
    }
    let is_unknown = room.iter().any(|(limit, _)| limit.is_none());
    let standing = match (is_short, is_unknown) {
        (true, _) => Standing::Short {
            missing: wanted - placed,
        },
        (false, true) => Standing::Unknown,
        (false, false) => Standing::Fits,
    };
    Placement {
        nodes,
        gpus,
        standing,
    }
}

fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

proptest! {
    #[test]
    fn placements_are_those_found_node_by_node(
        wanted in 1u32..64,
        regions in vec((rooms(), vec(types(), 1..6)), 1..4),
    ) {
        let mut found = Vec::new();
        let mut expected = Vec::new();
        for (room, types) in &regions {
            let quotas = index(*room);
            for one in types {
                let outlook = Outlook::new(&demand(one), &quotas);
                found.push((Placement::new(number(wanted), number(one.gpus), &outlook), one.price));
                expected.push((by_hand(wanted, one, *room), one.price));
            }
        }
        prop_assert_eq!(&found, &expected);

        found.sort_by(|a, b| Placement::compare((&a.0, a.1), (&b.0, b.1)));
        let cheapest = |all: &[(Placement, Option<f64>)]| {
            let fitting = all.iter().filter(|(placement, _)| placement.standing == Standing::Fits);
            let prices = fitting.filter_map(|(placement, price)| placement.price(*price));
            prices.min_by(f64::total_cmp)
        };
        let least_missing = |all: &[(Placement, Option<f64>)]| {
            let missing = all.iter().filter_map(|(placement, _)| match placement.standing {
                Standing::Short { missing } => Some(missing),
                _ => None,
            });
            missing.min()
        };
        // Whatever fits comes first, the cheapest before all.
        if let Some(cheapest) = cheapest(&expected) {
            let (first, price) = &found[0];
            prop_assert_eq!(first.standing, Standing::Fits);
            prop_assert_eq!(first.price(*price), Some(cheapest));
        }
        // Then what falls short by the fewest GPUs, then what is not known.
        let standings: Vec<_> = found.iter().map(|(placement, _)| placement.standing).collect();
        prop_assert!(standings.is_sorted());
        let first_short = standings.iter().find_map(|standing| match standing {
            Standing::Short { missing } => Some(*missing),
            _ => None,
        });
        prop_assert_eq!(first_short, least_missing(&expected));
    }
}

#[test]
fn whatever_is_prevented_comes_last_and_fewer_spare_gpus_first() {
    let placement = |gpus, standing| Placement {
        nodes: 1,
        gpus,
        standing,
    };
    let mut all = [
        placement(8, Standing::NotAvailable),
        placement(8, Standing::Unknown),
        placement(8, Standing::Fits),
        placement(4, Standing::Fits),
        placement(8, Standing::Short { missing: 2 }),
        placement(8, Standing::Short { missing: 1 }),
    ];
    all.sort_by(|a, b| Placement::compare((a, Some(1.0)), (b, Some(1.0))));
    let standings = all.map(|placement| (placement.gpus, placement.standing));
    assert_eq!(
        standings,
        [
            (4, Standing::Fits),
            (8, Standing::Fits),
            (8, Standing::Short { missing: 1 }),
            (8, Standing::Short { missing: 2 }),
            (8, Standing::Unknown),
            (8, Standing::NotAvailable),
        ]
    );
}
