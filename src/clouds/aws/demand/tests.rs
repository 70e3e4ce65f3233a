use std::collections::BTreeSet;

use flate2::read::GzDecoder;

use super::super::vcpu_quotas::VCPU_QUOTAS;
use super::*;

fn instance(instance_type: &str) -> Instance {
    Instance {
        instance_type: instance_type.into(),
        cpus: Some(8),
        memory_gb: None,
        gpu: None,
        disk_gb: None,
        public_ip: false,
    }
}

/// The code that a type draws on, or the reason why none is known.
fn code(instance_type: &str, market: Market) -> Result<String, String> {
    let demand = demand(&instance(instance_type), market, &QuotaOverrides::default());
    match (demand.draws.as_slice(), demand.unmapped) {
        ([draw], None) => {
            assert_eq!(draw.amount, Some(Amount::from(8u32)));
            Ok(draw.quota.code.to_string())
        }
        ([], Some(why)) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// The name of the quota that a type draws on.
fn name(instance_type: &str, market: Market) -> &'static str {
    let code = code(instance_type, market).unwrap();
    let quota = VCPU_QUOTAS.iter().find(|quota| quota.code == code).unwrap();
    assert_eq!(quota.market, market, "{instance_type}");
    quota.name
}

#[test]
fn the_families_whose_first_letter_misleads_are_told_apart() {
    for (instance_type, on_demand, spot) in [
        ("p5.48xlarge", "P", Some("P5")),
        ("p5.4xlarge", "P", Some("P5")),
        ("p5en.48xlarge", "P", Some("P5")),
        ("p4d.24xlarge", "P", Some("P4, P3 and P2")),
        ("p3dn.24xlarge", "P", Some("P4, P3 and P2")),
        ("p2.xlarge", "P", Some("P4, P3 and P2")),
        ("p6-b200.48xlarge", "P", None),
        ("p6e-gb200.36xlarge", "P", None),
        ("g5.xlarge", "G and VT", Some("G and VT")),
        ("g6.xlarge", "G and VT", Some("G and VT")),
        ("gr6.4xlarge", "G and VT", Some("G and VT")),
        ("vt1.3xlarge", "G and VT", Some("G and VT")),
        ("dl1.24xlarge", "DL", Some("DL")),
        ("dl2q.24xlarge", "DL", Some("DL")),
        ("f2.6xlarge", "F", Some("F")),
        ("hpc7g.4xlarge", "HPC", None),
        ("u-6tb1.56xlarge", "High Memory", None),
        ("u7i-12tb.224xlarge", "High Memory", None),
        ("u7inh-32tb.480xlarge", "High Memory", None),
        ("x2idn.16xlarge", "X", Some("X")),
        ("trn1.32xlarge", "Trn", Some("Trn")),
        ("inf2.xlarge", "Inf", Some("Inf")),
        ("im4gn.large", STANDARD, Some(STANDARD)),
        ("is4gen.large", STANDARD, Some(STANDARD)),
        ("c7i-flex.large", STANDARD, Some(STANDARD)),
        ("d3en.xlarge", STANDARD, Some(STANDARD)),
        ("M5.METAL", STANDARD, Some(STANDARD)),
    ] {
        let expected = format!("Running On-Demand {on_demand} instances");
        assert_eq!(name(instance_type, Market::OnDemand), expected);
        match spot {
            Some(spot) => {
                let expected = format!("All {spot} Spot Instance Requests");
                assert_eq!(name(instance_type, Market::Spot), expected);
            }
            None => {
                let family = instance_type.split('.').next().unwrap();
                let why = format!("no vCPU quota is known for spot instances of {family}");
                assert_eq!(code(instance_type, Market::Spot), Err(why));
            }
        }
    }
}

const STANDARD: &str = "Standard (A, C, D, H, I, M, R, T, Z)";

#[test]
fn an_unknown_family_is_never_guessed() {
    for instance_type in ["q1.large", "", "5.large", "metal", "gpu.large"] {
        for market in [Market::OnDemand, Market::Spot] {
            assert!(code(instance_type, market).is_err(), "{instance_type}");
        }
    }
    assert!(code("p.large", Market::Spot).is_err());
    assert_eq!(
        code("mac-m4.metal", Market::OnDemand).unwrap_err(),
        "mac-m4 runs on dedicated hosts only, which no vCPU quota counts"
    );
}

/// The offers of the bundled catalog.
fn offered() -> BTreeSet<(String, Market)> {
    // The file is read as such, since the clouds' floor does not use the catalog's.
    let file = &include_bytes!("../../../catalog/bundled/aws.csv.gz")[..];
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let spot_column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "spot");
    let spot_column = spot_column.unwrap();
    let mut offers = BTreeSet::new();
    for record in reader.records() {
        let record = record.unwrap();
        let market = match &record[spot_column] {
            "True" => Market::Spot,
            _ => Market::OnDemand,
        };
        offers.insert((record[0].to_owned(), market));
    }
    assert!(offers.len() > 2_000);
    offers
}

fn family(instance_type: &str) -> &str {
    instance_type.split('.').next().unwrap()
}

#[test]
fn all_types_of_the_bundled_catalog_are_mapped_but_for_two_families_of_spot() {
    let unmapped: BTreeSet<(String, Market)> = offered()
        .into_iter()
        .filter(|(instance_type, market)| code(instance_type, *market).is_err())
        .map(|(instance_type, market)| (family(&instance_type).to_owned(), market))
        .collect();
    let expected = ["p6-b200", "p6-b300"].map(|family| (family.to_owned(), Market::Spot));
    assert_eq!(unmapped, BTreeSet::from(expected));
}

#[test]
fn all_families_of_the_bundled_catalog_are_mapped_as_documented() {
    let lines: BTreeSet<String> = offered()
        .iter()
        .map(|(instance_type, _)| {
            let code = |market| code(instance_type, market).unwrap_or_default();
            let (on_demand, spot) = (code(Market::OnDemand), code(Market::Spot));
            format!("{},{on_demand},{spot}", family(instance_type))
        })
        .collect();
    // Not written by this code: from the family letters and codes that Service Quotas lists. No
    // spot quota is known of P6, HPC and High Memory.
    let documented = include_str!("families.csv").lines().skip(1);
    let documented: BTreeSet<String> = documented.map(str::to_owned).collect();
    let wrong: Vec<_> = lines.symmetric_difference(&documented).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_mapped_code_is_a_known_quota() {
    let mut mapped = BTreeSet::new();
    for group in &GROUPS {
        mapped.insert(group.on_demand);
        match &group.spot {
            Spot::Code(code) => drop(mapped.insert(code)),
            Spot::ByGeneration(codes) => mapped.extend(codes.iter().map(|(_, code)| *code)),
            Spot::NotSold => {}
        }
    }
    assert_eq!(mapped, VCPU_QUOTAS.iter().map(|quota| quota.code).collect());
}

#[test]
fn an_operator_may_correct_a_type_or_a_family() {
    let overrides: QuotaOverrides = toml::from_str(
        r#"
        "P6-B200@Spot" = "L-C4BD4855"
        "p6-b300.48xlarge@spot" = "custom/L-1"
        q1 = "L-417A185B"
        "q2@on_demand" = "L-417A185B"
        "#,
    )
    .unwrap();
    let quota = |instance_type, market| {
        let demand = demand(&instance(instance_type), market, &overrides);
        demand.draws.first().map(|draw| draw.quota.to_string())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        quota("p6-b200.48xlarge", Market::Spot),
        some("ec2/L-C4BD4855")
    );
    assert_eq!(
        quota("p6-b200.48xlarge", Market::OnDemand),
        some("ec2/L-417A185B")
    );
    assert_eq!(quota("p6-b300.48xlarge", Market::Spot), some("custom/L-1"));
    assert_eq!(quota("q1.large", Market::OnDemand), some("ec2/L-417A185B"));
    assert_eq!(quota("q1.large", Market::Spot), None);
    assert_eq!(quota("Q2.large", Market::OnDemand), some("ec2/L-417A185B"));
    assert_eq!(quota("q2.large", Market::Spot), None);
}

#[test]
fn disks_are_counted_in_bytes_and_unknown_cpus_have_an_unknown_amount() {
    let instance = Instance {
        cpus: None,
        disk_gb: Some(100.0),
        public_ip: true,
        ..instance("p5.48xlarge")
    };
    let demand = demand(&instance, Market::OnDemand, &QuotaOverrides::default());
    let draws: Vec<_> = demand
        .draws
        .iter()
        .map(|draw| (draw.quota.to_string(), draw.amount.map(Amount::get)))
        .collect();
    let hundred_gib = 107_374_182_400.0;
    assert_eq!(
        draws,
        [
            ("ec2/L-417A185B".to_owned(), None),
            ("ebs/L-7A658B76".to_owned(), Some(hundred_gib)),
        ]
    );
}

#[test]
fn spot_quotas_belong_to_on_demand_quotas_by_code() {
    let twins = |code: &str| -> Vec<String> {
        let twins = spot_counterparts(&QuotaKey::new(EC2, code));
        twins.iter().map(|twin| twin.code.to_string()).collect()
    };
    assert_eq!(twins("L-1216C47A"), ["L-34B43A08"]);
    assert_eq!(twins("L-DB2E81BA"), ["L-3819A6DF"]);
    assert_eq!(twins("L-417A185B"), ["L-7212CCBC", "L-C4BD4855"]);
    assert!(
        twins("L-43DA4232").is_empty(),
        "High Memory is not sold as spot"
    );
    assert!(
        twins("L-7212CCBC").is_empty(),
        "a spot quota has no counterpart"
    );
    assert!(spot_counterparts(&QuotaKey::new("ebs", "L-417A185B")).is_empty());

    let on_demand = VCPU_QUOTAS
        .iter()
        .filter(|quota| quota.market == Market::OnDemand);
    let mut spot: Vec<String> = on_demand.flat_map(|quota| twins(quota.code)).collect();
    spot.sort();
    let all = VCPU_QUOTAS
        .iter()
        .filter(|quota| quota.market == Market::Spot);
    let mut all: Vec<String> = all.map(|quota| quota.code.to_owned()).collect();
    all.sort();
    assert_eq!(spot, all, "every spot quota belongs to one on-demand quota");
}
