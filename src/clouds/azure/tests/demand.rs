use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::{instance, location};
use crate::clouds::azure::demand::{demand, fingerprint};
use crate::clouds::azure::families::Families;
use crate::clouds::azure::names::{CORES, SPOT_CORES, is_same};
use crate::clouds::azure::sizes::SizeList;
use crate::clouds::azure::wire::{Capability, SkuRow};
use crate::model::{Instance, Limit, Market, Region, Snapshot, Usage};

fn drawn(instance: &Instance, market: Market, snapshot: &Snapshot) -> Vec<(String, Option<u32>)> {
    let demand = demand(&Families::default(), instance, market, snapshot);
    let draws = demand.draws.into_iter();
    draws
        .map(|draw| {
            let amount = draw.amount.map(|amount| amount.get() as u32);
            (draw.quota.code.to_string(), amount)
        })
        .collect()
}

fn codes(drawn: &[(String, Option<u32>)]) -> Vec<&str> {
    drawn.iter().map(|(code, _)| &**code).collect()
}

/// The sizes of the bundled catalog with their vCPUs, and those that are sold as spot.
fn catalog() -> (BTreeMap<String, u32>, BTreeSet<String>) {
    // The file is read as such, since the clouds' floor does not use the catalog's.
    let file = &include_bytes!("../../../catalog/bundled/azure.csv.gz")[..];
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let (mut sizes, mut spot) = (BTreeMap::new(), BTreeSet::new());
    for record in reader.records() {
        let record = record.unwrap();
        sizes.insert(record[0].to_owned(), record[3].parse().unwrap());
        if &record[8] == "True" {
            spot.insert(record[0].to_owned());
        }
    }
    (sizes, spot)
}

#[test]
fn every_size_of_the_bundled_catalog_draws_on_its_family_and_the_location() {
    let (sizes, spot) = catalog();
    assert_eq!(sizes.len(), 1087);
    assert!(spot.len() > 1000, "{}", spot.len());
    let mut families = BTreeSet::new();
    for (size, cpus) in &sizes {
        let whole = instance(size, Some(*cpus));
        let found = drawn(&whole, Market::OnDemand, &Snapshot::EMPTY);
        let [family, cores, machines] = &found[..] else {
            panic!("{size}: {found:?}");
        };
        assert_eq!(
            (&family.1, &cores.1),
            (&Some(*cpus), &Some(*cpus)),
            "{size}"
        );
        assert_eq!(
            (&*cores.0, machines),
            (CORES, &("virtualMachines".to_owned(), Some(1)))
        );
        families.insert(family.0.clone());
        // The table knows the vCPUs that the caller and the catalog leave out.
        let bare = drawn(&instance(size, None), Market::OnDemand, &Snapshot::EMPTY);
        assert!(
            bare[1].1.is_none_or(|told| told == *cpus),
            "{size}: {bare:?}"
        );
        let spot = drawn(&whole, Market::Spot, &Snapshot::EMPTY);
        assert_eq!(codes(&spot), [SPOT_CORES, "virtualMachines"], "{size}");
        assert_eq!(spot[0].1, Some(*cpus));
    }
    assert!(families.len() > 120, "{}", families.len());
    let spelled: BTreeSet<_> = families.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(
        spelled.len(),
        families.len(),
        "one family has two spellings"
    );
}

#[test]
fn gpu_families_are_those_that_azure_counts_them_by() {
    // From answers of accounts: no pattern leads from a size to its family.
    for (size, family, vcpus) in [
        ("Standard_NC6s_v3", "standardNCSv3Family", 6),
        ("Standard_NC4as_T4_v3", "Standard NCASv3_T4 Family", 4),
        ("Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family", 24),
        ("Standard_NC40ads_H100_v5", "StandardNCadsH100v5Family", 40),
        ("Standard_NC80adis_H100_v5", "StandardNCadsH100v5Family", 80),
        ("Standard_ND40rs_v2", "standardNDSv2Family", 40),
        ("Standard_ND96asr_v4", "Standard NDASv4_A100 Family", 96),
        (
            "Standard_ND96amsr_A100_v4",
            "standard NDAMSv4_A100Family",
            96,
        ),
        ("Standard_ND96isr_H100_v5", "standardNDSH100v5Family", 96),
        ("Standard_ND96isr_H200_v5", "standardNDISRH200V5Family", 96),
        ("Standard_NV36ads_A10_v5", "StandardNVADSA10v5Family", 36),
        ("Standard_D4s_v6", "StandardDsv6Family", 4),
        ("Standard_E104is_v5", "standardEISv5Family", 104),
        ("Standard_F8s_v2", "standardFSv2Family", 8),
    ] {
        let found = drawn(&instance(size, None), Market::OnDemand, &Snapshot::EMPTY);
        assert!(is_same(&found[0].0, family), "{size}: {found:?}");
        assert_eq!(found[0].1, Some(vcpus), "{size}");
    }
}

#[test]
fn a_quota_is_named_as_the_location_spells_it() {
    let rows = [
        ("standardncasv3_t4 FAMILY", 8),
        ("Cores", 10),
        ("LOWPRIORITYCORES", 3),
    ];
    let here = location(&rows, None);
    let t4 = instance("Standard_NC4as_T4_v3", None);
    let found = drawn(&t4, Market::OnDemand, &here);
    // A location that was read and has no limit of machines limits none.
    assert_eq!(codes(&found), ["standardncasv3_t4 FAMILY", "Cores"]);
    assert_eq!(
        codes(&drawn(&t4, Market::Spot, &here)),
        ["LOWPRIORITYCORES"]
    );
    let absent = drawn(&instance("Standard_D4s_v5", None), Market::OnDemand, &here);
    assert_eq!(codes(&absent), ["standardDSv5Family", "Cores"]);
}

#[test]
fn a_category_stands_in_for_its_families_where_the_mapping_is_known() {
    let rows = [
        ("standardDSv5Family", 10),
        ("standardFSv2Family", 10),
        ("generalPurposeCategory", 64),
        ("cores", 100),
    ];
    let (d, f) = (
        instance("Standard_D4s_v5", None),
        instance("Standard_F8s_v2", None),
    );
    let mapping: &[_] = &[
        ("StandardDSv5 Family", "GeneralPurposeCategory"),
        ("standardESv5Family", "memoryCategory"),
    ];
    let mapped = location(&rows, Some(mapping));
    let found = drawn(&d, Market::OnDemand, &mapped);
    assert_eq!(codes(&found), ["generalPurposeCategory", "cores"]);
    assert_eq!(found[0].1, Some(4));
    assert_eq!(
        codes(&drawn(&f, Market::OnDemand, &mapped)),
        ["standardFSv2Family", "cores"]
    );
    assert_eq!(
        codes(&drawn(&d, Market::Spot, &mapped)),
        ["lowPriorityCores"]
    );
    // A category that has no row here decides nothing.
    let e = drawn(
        &instance("Standard_E4s_v5", None),
        Market::OnDemand,
        &mapped,
    );
    assert_eq!(codes(&e)[0], "standardESv5Family");
    // Nobody knows whose category it is: only the total can be too small.
    let unread = location(&rows, None);
    let found = demand(&Families::default(), &d, Market::OnDemand, &unread);
    assert!(found.unmapped.unwrap().contains("categories"));
    assert_eq!(codes(&drawn(&d, Market::OnDemand, &unread)), ["cores"]);
    assert_eq!(
        demand(&Families::default(), &d, Market::Spot, &unread).unmapped,
        None
    );
}

#[test]
fn a_size_that_nobody_knows_draws_on_the_location_and_says_so() {
    let families = Families::default();
    let new = instance("Standard_Z9s_v9", Some(16));
    for (market, code) in [(Market::OnDemand, CORES), (Market::Spot, SPOT_CORES)] {
        let found = demand(&families, &new, market, &Snapshot::EMPTY);
        assert!(found.unmapped.unwrap().contains("Standard_Z9s_v9"));
        assert_eq!(&*found.draws[0].quota.code, code);
    }
    // Until the list of sizes brings it.
    let row = SkuRow {
        resource_type: "virtualMachines".to_owned(),
        name: "Standard_Z9s_v9".to_owned(),
        family: Some("standardZSv9Family".to_owned()),
        capabilities: Some(vec![Capability {
            name: "vCPUs".to_owned(),
            value: "16".to_owned(),
        }]),
        ..SkuRow::default()
    };
    families.learn(&SizeList::new(&Region::from("eastus"), &[row]));
    let found = demand(
        &families,
        &instance("standard_z9S_V9", None),
        Market::OnDemand,
        &Snapshot::EMPTY,
    );
    assert_eq!(found.unmapped, None);
    assert_eq!(&*found.draws[0].quota.code, "standardZSv9Family");
    assert_eq!(found.draws[0].amount.map(|amount| amount.get()), Some(16.0));
}

#[test]
fn a_disk_is_one_whatever_its_size_and_an_address_counts_twice_where_azure_does() {
    let mut machine = instance("Standard_D4s_v5", None);
    machine.disk_gb = Some(4096.0);
    machine.public_ip = true;
    let found = drawn(&machine, Market::Spot, &Snapshot::EMPTY);
    assert_eq!(
        codes(&found),
        [
            SPOT_CORES,
            "virtualMachines",
            "StandardSSDDiskCount",
            "PublicIPAddresses",
            "IPv4StandardSkuPublicIpAddresses"
        ]
    );
    assert!(found[1..].iter().all(|(_, amount)| *amount == Some(1)));
}

#[test]
fn a_limit_is_zero_unlimited_or_what_it_is_and_never_below() {
    let here = location(
        &[
            ("cores", 0),
            ("PublicIPAddresses", i64::MAX),
            ("virtualMachines", -1),
            ("UltraSSDDiskSizeInGB", 2),
        ],
        None,
    );
    let limits: Vec<_> = here
        .quotas()
        .iter()
        .map(|row| (&*row.key.code, row.limit))
        .collect();
    let known = |amount: f64| Limit::Known(crate::model::Amount::new(amount).unwrap());
    assert_eq!(
        limits,
        [
            ("PublicIPAddresses", Limit::Unlimited),
            ("UltraSSDDiskSizeInGB", known(2.0 * crate::model::GIB)),
            ("cores", known(0.0)),
            ("virtualMachines", Limit::Unknown),
        ]
    );
    assert!(here.quotas().iter().all(|row| row.usage != Usage::Unknown));
}

/// Each family with one of its sizes.
static FAMILIES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let families = Families::default();
    let of = |size: String| (families.of(&size).unwrap().family.to_string(), size);
    catalog().0.into_keys().map(of).collect()
});

proptest! {
    #[test]
    fn the_join_of_names_minds_neither_case_nor_white_space(
        place in 0..192_usize,
        upper in any::<u64>(),
        spaces in prop::collection::vec(0..40_usize, 0..4),
    ) {
        let (family, size) = FAMILIES.iter().nth(place % FAMILIES.len()).unwrap();
        let flip = |(at, c): (usize, char)| match upper >> (at % 64) & 1 {
            1 => c.to_ascii_uppercase(),
            _ => c.to_ascii_lowercase(),
        };
        let mut spelled: String = family.chars().enumerate().map(flip).collect();
        for at in spaces {
            spelled.insert(at % (spelled.len() + 1), ' ');
        }
        let here = location(&[(&spelled, 7)], None);
        let found = drawn(&instance(size, Some(2)), Market::OnDemand, &here);
        prop_assert_eq!(&found[0].0, &spelled);
    }
}

/// Rows that some demand depends on, in two spellings.
const ROWS: [[&str; 2]; 6] = [
    ["cores", "Cores"],
    ["lowPriorityCores", "lowprioritycores"],
    ["virtualMachines", "VirtualMachines"],
    ["StandardSSDDiskCount", "standardSSDDiskCount"],
    ["standardNDSH100v5Family", "Standard NDSH100v5 Family"],
    ["generalPurposeCategory", "specialCategory"],
];

/// A location that lacks some rows, and whose categories have some family, or none that is known.
fn some_location() -> impl Strategy<Value = Snapshot> {
    let spelling = prop::option::of((0..2_usize, 0..3_i64));
    let rows = prop::collection::vec(spelling, ROWS.len());
    let mapped = prop::option::of(prop::option::of(0..2_usize));
    (rows, mapped).prop_map(|(rows, mapped)| {
        let rows = ROWS.iter().zip(rows);
        let rows: Vec<_> = rows
            .filter_map(|(spellings, row)| row.map(|(which, limit)| (spellings[which], limit)))
            .collect();
        let pair = mapped.map(|of| of.map(|which| ("standardNDSH100v5Family", ROWS[5][which])));
        let pairs: Option<Vec<_>> = pair.map(|pair| pair.into_iter().collect());
        location(&rows, pairs.as_deref())
    })
}

/// Families as a list of sizes may have told them.
fn some_families() -> impl Strategy<Value = Families> {
    prop::option::of(0..2_usize).prop_map(|family| {
        let families = Families::default();
        if let Some(family) = family {
            let row = SkuRow {
                resource_type: "virtualMachines".to_owned(),
                name: "Standard_ND96isr_H100_v5".to_owned(),
                family: Some(["standardNewFamily", "standardNDSH100v5Family"][family].to_owned()),
                capabilities: Some(vec![Capability {
                    name: "vCPUs".to_owned(),
                    value: "97".to_owned(),
                }]),
                ..SkuRow::default()
            };
            families.learn(&SizeList::new(&Region::from("eastus"), &[row]));
        }
        families
    })
}

proptest! {
    #[test]
    fn locations_of_one_fingerprint_have_the_same_demands(
        one in some_location(), other in some_location(),
        known in some_families(), known_there in some_families(),
    ) {
        let demands = |families: &Families, location: &Snapshot| {
            let sizes = ["Standard_ND96isr_H100_v5", "Standard_D2s_v5", "Standard_Z9"];
            let both = sizes.iter().flat_map(|size| [(size, Market::OnDemand), (size, Market::Spot)]);
            let of = |(size, market): (&&str, Market)| {
                let whole = Instance { disk_gb: Some(10.0), public_ip: true, ..instance(size, None) };
                demand(families, &whole, market, location)
            };
            both.map(of).collect::<Vec<_>>()
        };
        let fingerprints = (fingerprint(&known, &one), fingerprint(&known_there, &other));
        if demands(&known, &one) != demands(&known_there, &other) {
            prop_assert_ne!(fingerprints.0, fingerprints.1);
        }
    }
}

#[test]
fn limits_and_usage_leave_the_fingerprint() {
    let families = Families::default();
    let with = |limit| fingerprint(&families, &location(&[("cores", limit)], None));
    assert_eq!(with(0), with(8));
    assert_ne!(with(0), fingerprint(&families, &Snapshot::EMPTY));
}
