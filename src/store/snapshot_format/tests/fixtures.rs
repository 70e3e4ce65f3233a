//! The bytes of each format, as a release has written them: a later one must still read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::*;
use crate::model::{
    AccountId, Amount, Container, Failure, FailureKind, Limit, LimitSource, Market, Moment, Native,
    Quota, QuotaKey, QuotaMarket, Region, Restriction, RestrictionKind, Scope, Snapshot, Unit,
    Usage,
};

/// Written by the last release of format 2.
const FORMAT_2: &[u8] = include_bytes!("../fixtures/format_2.json");

/// Written by this release; a change of these bytes is a change of the format.
const FORMAT_3: &[u8] = include_bytes!("../fixtures/format_3.json");

const DIGEST: &str = "d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rows() -> Vec<Quota> {
    let console: Arc<str> = "https://console.example/quotas".into();
    let p_instances = Quota {
        key: QuotaKey::new("ec2", "L-417A185B"),
        name: "Running On-Demand P instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(192u32)),
        limit_source: LimitSource::Applied,
        usage: Usage::Known {
            amount: Amount::from(96u32),
            as_of: Some(time("2026-11-20T10:00:00Z")),
            range: None,
        },
        adjustable: Some(true),
        default: Some(Amount::ZERO),
        increase_url: Some(console),
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    };
    let tenant = |id: &str| {
        Some(Container {
            kind: "tenant".into(),
            id: id.into(),
        })
    };
    vec![
        Quota {
            key: QuotaKey::new("ebs", "L-7A658B76"),
            name: "Storage for gp3 volumes".into(),
            unit: Unit::Byte,
            market: QuotaMarket::Any,
            limit: Limit::Known(Amount::new(54_975_581_388_800.0).unwrap()),
            usage: Usage::Unknown,
            native: Some(Arc::new(Native {
                unit_size: 1_099_511_627_776.0,
                members: BTreeMap::from([(
                    "QuotaName".to_owned(),
                    "Storage for \"gp3\"".to_owned(),
                )]),
            })),
            ..p_instances.clone()
        },
        Quota {
            key: QuotaKey::new("compute", "compute.instance.gpu.h200"),
            name: "GPUs".into(),
            unit: Unit::Gpu,
            market: QuotaMarket::Reserved,
            scope: Scope::Global,
            container: tenant("tenant-1"),
            limit: Limit::Unlimited,
            limit_source: LimitSource::Configured,
            usage: Usage::Known {
                amount: Amount::new(0.5).unwrap(),
                as_of: None,
                range: None,
            },
            adjustable: None,
            default: None,
            increase_url: None,
            increase_command: None,
            ..p_instances.clone()
        },
        Quota {
            key: QuotaKey::new("compute", "compute.instance.gpu.h200"),
            name: "GPUs".into(),
            unit: Unit::Instance,
            market: QuotaMarket::Spot,
            scope: Scope::Zone,
            container: tenant("tenant-2"),
            limit: Limit::Inherited,
            limit_source: LimitSource::Learned,
            usage: Usage::Unknown,
            adjustable: Some(false),
            ..p_instances.clone()
        },
        Quota {
            key: QuotaKey::new("vpc", "L-F678F1CE"),
            name: "VPCs per Region".into(),
            unit: Unit::Count,
            market: QuotaMarket::Any,
            limit: Limit::Unknown,
            limit_source: LimitSource::Default,
            usage: Usage::Unknown,
            ..p_instances.clone()
        },
        p_instances,
    ]
}

fn snapshot(rows: Vec<Quota>) -> StoredSnapshot {
    let denied = Failure::new(FailureKind::Denied, "not allowed to read usage");
    StoredSnapshot {
        key: UnitKey {
            backend: "aws".into(),
            unit: "us-east-1".into(),
        },
        taken_at: time("2026-11-21T19:00:00.25Z"),
        reading: Arc::new(Reading {
            account: Some(AccountId::new("123456789012")),
            regions: BTreeMap::from([
                (Region::new("us-east-1"), Arc::new(Snapshot::new(rows))),
                (Region::new("us-east-2"), Arc::default()),
            ]),
            gaps: vec![
                denied.with_hint("allow it"),
                Failure::new(FailureKind::Throttled, "slow down"),
            ],
            ..Reading::default()
        }),
    }
}

/// The same with what only format 3 has.
fn snapshot_of_format_3() -> StoredSnapshot {
    let mut rows = rows();
    rows[0].observed_at = Some(Moment::from(time("2026-11-21T18:30:00Z")));
    let mut snapshot = snapshot(rows);
    let restriction = |market, kind| Restriction {
        instance_type: "p5.48xlarge".into(),
        market,
        kind,
        reason: "not offered here".into(),
    };
    Arc::make_mut(&mut snapshot.reading).restrictions = BTreeMap::from([(
        Region::new("us-east-1"),
        vec![
            restriction(None, RestrictionKind::NotOffered),
            restriction(Some(Market::Spot), RestrictionKind::Subscription),
            restriction(Some(Market::OnDemand), RestrictionKind::Zones),
        ],
    )]);
    snapshot
}

#[test]
fn format_2_reads_as_it_was_written() {
    let expected = Decoded {
        snapshot: snapshot(rows()),
        fingerprint: StoredFingerprint::AllSettings(DIGEST.to_owned()),
    };
    assert_eq!(decode(FORMAT_2), Ok(expected));
}

#[test]
fn format_3_is_written_and_read_byte_for_byte() {
    let snapshot = snapshot_of_format_3();
    let written = encode(&snapshot, DIGEST).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(FORMAT_3)
    );
    let expected = Decoded {
        snapshot,
        fingerprint: StoredFingerprint::Account(DIGEST.to_owned()),
    };
    assert_eq!(decode(FORMAT_3), Ok(expected));
}

#[test]
fn a_future_format_is_refused_by_its_number() {
    let error = decode(br#"{"format":4,"whatever":[]}"#).unwrap_err();
    assert_eq!(error, "its format is 4, this version reads 2 and 3");
}

/// Decodes format 3 after a change to the file.
fn changed(change: impl FnOnce(&mut Value)) -> Reading {
    let mut file: Value = serde_json::from_slice(FORMAT_3).unwrap();
    change(&mut file);
    let decoded = decode(file.to_string().as_bytes()).unwrap();
    (*decoded.snapshot.reading).clone()
}

#[test]
fn a_row_with_an_unknown_word_keeps_its_place_and_has_no_limit() {
    let original = (*snapshot_of_format_3().reading).clone();
    let region = Region::new("us-east-1");
    for (member, word) in [
        ("unit", json!("tpu")),
        ("market", json!("flex_start")),
        ("scope", json!("planet")),
        ("limit", json!({ "per_month": 3.0 })),
        ("limit", json!({ "known": -1.0 })),
        ("limit_source", json!("rumoured")),
        ("usage", json!("estimated")),
    ] {
        let reading = changed(|file| {
            // The second row, whose quota has another container in the first.
            file["reading"]["regions"]["us-east-1"][1][member] = word.clone();
        });
        let (before, after) = (&original.regions[&region], &reading.regions[&region]);
        assert_eq!(after.quotas().len(), before.quotas().len());
        for (place, (before, after)) in before.quotas().iter().zip(after.quotas()).enumerate() {
            if place == 1 {
                assert_eq!(
                    (&after.key, &after.container),
                    (&before.key, &before.container)
                );
                assert_eq!((after.limit, after.usage), (Limit::Unknown, Usage::Unknown));
            } else {
                assert_eq!(after, before, "{member} = {word}");
            }
        }
    }
}

#[test]
fn a_row_without_an_identity_is_left_out_and_the_others_stay() {
    let region = Region::new("us-east-1");
    for row in [
        json!("a word"),
        json!({ "limit": "unlimited" }),
        json!(null),
    ] {
        let reading = changed(|file| file["reading"]["regions"]["us-east-1"][1] = row);
        assert_eq!(reading.regions[&region].quotas().len(), rows().len() - 1);
    }
}

#[test]
fn fields_that_a_later_release_adds_are_passed_over() {
    let reading = changed(|file| {
        file["written_by"] = json!("9.9.9");
        file["reading"]["weather"] = json!({ "sunny": true });
        file["reading"]["regions"]["us-east-1"][0]["colour"] = json!("green");
    });
    assert_eq!(reading, *snapshot_of_format_3().reading);
}

#[test]
fn a_gap_of_an_unknown_kind_stays_and_an_unknown_restriction_goes() {
    let reading = changed(|file| {
        file["reading"]["gaps"][0]["kind"] = json!("embargoed");
        file["reading"]["restrictions"]["us-east-1"][0]["kind"] = json!("embargoed");
    });
    let gap = &reading.gaps[0];
    assert_eq!(gap.kind, FailureKind::Malformed);
    assert_eq!(gap.detail, "not allowed to read usage");
    assert_eq!(reading.restrictions[&Region::new("us-east-1")].len(), 2);
}
