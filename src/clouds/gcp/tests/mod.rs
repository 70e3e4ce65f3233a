//! Demand, held against every machine of the bundled catalog.

mod errors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::demand::{demand, fingerprint};
use super::machines::type_gpus;
use super::metrics::key;
use crate::model::{
    Amount, Gpu, Instance, Limit, LimitSource, Market, Quota, QuotaMarket, QuotaState, Scope,
    Snapshot, Unit, Usage,
};

/// The machines of the bundled catalog, each with its GPU.
fn machines() -> Vec<Instance> {
    // The file is read as such, since the clouds' floor does not use the catalog's.
    let file = &include_bytes!("../../../catalog/bundled/gcp.csv.gz")[..];
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let mut machines = BTreeMap::new();
    for record in reader.records() {
        let record = record.unwrap();
        let field = |place: usize| record[place].to_owned();
        machines.insert((field(0), field(6), field(5)), (field(3), field(10)));
    }
    let machines = machines.into_iter();
    let machines = machines.map(|((name, gpu, count), (cpus, vendor))| {
        let gpu = (!gpu.is_empty()).then(|| Gpu {
            name: gpu.into(),
            count: count.parse().unwrap(),
            memory_gb: None,
            vendor: Some(vendor.into()),
        });
        Instance {
            instance_type: name.into(),
            cpus: cpus.parse().ok(),
            memory_gb: None,
            gpu,
            disk_gb: None,
            public_ip: false,
        }
    });
    machines.collect()
}

/// A region with these limits, where `None` is an unknown one.
fn region(rows: &[(&str, Option<u32>)]) -> Snapshot {
    let row = |(code, limit): &(&str, Option<u32>)| Quota {
        key: key(code),
        name: (*code).into(),
        unit: Unit::Count,
        market: QuotaMarket::Any,
        scope: Scope::Region,
        container: None,
        limit: limit.map_or(Limit::Unknown, |limit| Limit::Known(Amount::from(limit))),
        limit_source: LimitSource::Applied,
        usage: Usage::Unknown,
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: None,
        state: QuotaState::Active,
    };
    Snapshot::new(rows.iter().map(row).collect())
}

fn drawn(instance: &Instance, market: Market, region: &Snapshot) -> Vec<(String, Option<u32>)> {
    let draws = demand(instance, market, region).draws.into_iter();
    let amount = |amount: Amount| amount.get() as u32;
    draws
        .map(|draw| (draw.quota.code.to_string(), draw.amount.map(amount)))
        .collect()
}

#[test]
fn every_machine_of_the_bundled_catalog_is_mapped_or_meant_not_to_be() {
    let machines = machines();
    assert!(machines.len() > 520, "{}", machines.len());
    let mut unmapped = BTreeSet::new();
    let mut quotas = BTreeSet::new();
    for instance in &machines {
        let found = demand(instance, Market::OnDemand, &Snapshot::EMPTY);
        let series = instance.instance_type.split('-').next().unwrap();
        match found.unmapped {
            Some(_) if instance.instance_type.ends_with("lssd") => {}
            Some(_) if instance.instance_type.contains("-lssd-") => {}
            Some(_) => {
                unmapped.insert(series.to_owned());
            }
            None => {
                let first = &found.draws[0];
                assert!(first.amount.is_some(), "{instance:?}: {first:?}");
                quotas.insert(first.quota.code.to_string());
            }
        }
        let is_local = |draw: &crate::model::Draw| draw.quota.code.contains("LOCAL_SSD");
        assert!(!found.draws.iter().any(is_local), "{instance:?}");
    }
    // TPUs, and Z3, which brings Local SSD.
    assert_eq!(
        unmapped,
        ["v5litepod", "v6e", "z3"].map(str::to_owned).into()
    );
    let expected = [
        "C2D_CPUS",
        "C2_CPUS",
        "C3_CPUS",
        "CPUS",
        "CPUS_PER_VM_FAMILY/C3D",
        "CPUS_PER_VM_FAMILY/C4",
        "CPUS_PER_VM_FAMILY/C4A",
        "CPUS_PER_VM_FAMILY/C4D",
        "CPUS_PER_VM_FAMILY/C4N",
        "CPUS_PER_VM_FAMILY/H3",
        "CPUS_PER_VM_FAMILY/M4",
        "CPUS_PER_VM_FAMILY/N4",
        "CPUS_PER_VM_FAMILY/N4A",
        "CPUS_PER_VM_FAMILY/N4D",
        "E2_CPUS",
        "GPUS_PER_GPU_FAMILY/NVIDIA_B200",
        "GPUS_PER_GPU_FAMILY/NVIDIA_GB200",
        "GPUS_PER_GPU_FAMILY/NVIDIA_H100",
        "GPUS_PER_GPU_FAMILY/NVIDIA_H100_MEGA",
        "GPUS_PER_GPU_FAMILY/NVIDIA_H200",
        "GPUS_PER_GPU_FAMILY/NVIDIA_RTX_PRO_6000",
        "M1_CPUS",
        "M3_CPUS",
        "N2D_CPUS",
        "N2_CPUS",
        "NVIDIA_A100_80GB_GPUS",
        "NVIDIA_A100_GPUS",
        "NVIDIA_L4_GPUS",
        "NVIDIA_T4_GPUS",
        "NVIDIA_V100_GPUS",
        "T2A_CPUS",
        "T2D_CPUS",
    ];
    assert_eq!(quotas, expected.map(str::to_owned).into());
}

#[test]
fn the_name_of_a_type_tells_as_many_gpus_as_the_catalog() {
    let mut compared = 0;
    for instance in machines() {
        let count = instance.gpu.as_ref().map(|gpu| gpu.count);
        if let Some(told) = type_gpus(&instance.instance_type) {
            assert_eq!(Some(told), count, "{instance:?}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn spot_draws_on_the_preemptible_quota_only_where_it_is_known_to_be_granted() {
    let (p, s) = ("PREEMPTIBLE_NVIDIA_L4_GPUS", "NVIDIA_L4_GPUS");
    let machine = Instance {
        instance_type: "g2-standard-48".into(),
        cpus: Some(48),
        memory_gb: None,
        gpu: None,
        disk_gb: None,
        public_ip: false,
    };
    let spot = |region: &Snapshot| drawn(&machine, Market::Spot, region)[0].clone();
    let four = Some(4);
    assert_eq!(
        spot(&region(&[(p, Some(8)), (s, Some(1))])),
        (p.to_owned(), four)
    );
    assert_eq!(
        spot(&region(&[(p, Some(0)), (s, Some(1))])),
        (s.to_owned(), four)
    );
    // Read, and not there: never granted.
    assert_eq!(spot(&region(&[(s, Some(1))])), (s.to_owned(), four));
    // Not readable, or not read: the verdict rests on what is unknown.
    assert_eq!(
        spot(&region(&[(p, None), (s, Some(1))])),
        (p.to_owned(), four)
    );
    assert_eq!(spot(&Snapshot::EMPTY), (p.to_owned(), four));
    // CPUs are not counted.
    let codes = drawn(&machine, Market::Spot, &Snapshot::EMPTY);
    assert_eq!(codes[1].0, "GPUS_ALL_REGIONS");
    assert_eq!(codes.len(), 2);
}

#[test]
fn a_global_quota_that_the_project_does_not_have_limits_nothing() {
    let machine = Instance {
        instance_type: "n1-standard-8".into(),
        cpus: Some(8),
        memory_gb: None,
        gpu: Some(Gpu {
            name: "t4".into(),
            count: 2,
            memory_gb: None,
            vendor: None,
        }),
        disk_gb: None,
        public_ip: false,
    };
    let codes = |region: &Snapshot| -> Vec<String> {
        let drawn = drawn(&machine, Market::OnDemand, region).into_iter();
        drawn.map(|(code, _)| code).collect()
    };
    let old = region(&[("NVIDIA_T4_GPUS", Some(4)), ("CPUS", Some(8))]);
    assert_eq!(codes(&old), ["NVIDIA_T4_GPUS", "CPUS"]);
    assert_eq!(
        codes(&Snapshot::EMPTY),
        [
            "NVIDIA_T4_GPUS",
            "GPUS_ALL_REGIONS",
            "CPUS",
            "CPUS_ALL_REGIONS",
            "INSTANCES"
        ]
    );
}

/// Rows that some demand depends on, and one that none does.
const CODES: [&str; 8] = [
    "GPUS_ALL_REGIONS",
    "CPUS_ALL_REGIONS",
    "E2_CPUS",
    "INSTANCES",
    "PREEMPTIBLE_CPUS",
    "PREEMPTIBLE_NVIDIA_T4_GPUS",
    "PREEMPTIBLE_NVIDIA_H100_GPUS",
    "NVIDIA_L4_GPUS",
];

/// A region that lacks some rows, where others are zero, known or unknown.
fn some_region() -> impl Strategy<Value = Snapshot> {
    let row = prop_oneof![
        Just(None),
        Just(Some(None)),
        Just(Some(Some(0))),
        Just(Some(Some(8))),
    ];
    prop::collection::vec(row, CODES.len()).prop_map(|limits| {
        let rows = CODES.iter().zip(limits);
        let rows: Vec<_> = rows
            .filter_map(|(code, limit)| Some((*code, limit?)))
            .collect();
        region(&rows)
    })
}

/// Machines of all series.
static SOME: LazyLock<Vec<Instance>> =
    LazyLock::new(|| machines().into_iter().step_by(7).collect());

proptest! {
    #[test]
    fn regions_of_one_fingerprint_have_the_same_demands(
        one in some_region(), other in some_region(),
    ) {
        let demands = |region: &Snapshot| {
            let of = |(instance, market)| demand(instance, market, region);
            let both = SOME.iter().flat_map(|it| [(it, Market::OnDemand), (it, Market::Spot)]);
            both.map(of).collect::<Vec<_>>()
        };
        if demands(&one) != demands(&other) {
            prop_assert_ne!(fingerprint(&one), fingerprint(&other));
        }
    }
}

#[test]
fn limits_that_no_demand_depends_on_leave_the_fingerprint() {
    let with = |l4, t4| {
        let rows = [
            ("CPUS", Some(8)),
            ("NVIDIA_L4_GPUS", l4),
            ("PREEMPTIBLE_NVIDIA_T4_GPUS", t4),
        ];
        fingerprint(&region(&rows))
    };
    assert_eq!(with(Some(0), Some(1)), with(None, Some(4)));
    assert_ne!(with(Some(0), Some(1)), with(Some(0), Some(0)));
    assert_ne!(with(Some(0), Some(0)), fingerprint(&Snapshot::EMPTY));
}
