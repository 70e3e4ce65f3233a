//! The table of questions: what fits, what does not, and what is made of it.

use std::collections::BTreeSet;

use quota_oracle::model::Strictness;
use serde_json::{Value, json};
use simulated_clouds::aws::{Fault, FaultKind};

use super::service::{Named, Service, simulated};

const STANDARD: &str = "L-1216C47A";
const G: &str = "L-DB2E81BA";
const P: &str = "L-417A185B";
const DL: &str = "L-6E869C2A";
const F: &str = "L-74FC7D96";
const HIGH_MEMORY: &str = "L-43DA4232";
const HPC: &str = "L-F7808C92";
const INF: &str = "L-1945791B";
const TRN: &str = "L-2C3B7624";
const X: &str = "L-7295265B";
const STANDARD_SPOT: &str = "L-34B43A08";
const G_SPOT: &str = "L-3819A6DF";
const P4_SPOT: &str = "L-7212CCBC";
const P5_SPOT: &str = "L-C4BD4855";
const DL_SPOT: &str = "L-85EED4F7";
const F_SPOT: &str = "L-88CF9481";
const INF_SPOT: &str = "L-B5D1601B";
const TRN_SPOT: &str = "L-6B0D517C";
const X_SPOT: &str = "L-E3A00192";

const EAST: &str = "us-east-1";
/// Usage is not told there.
const OHIO: &str = "us-east-2";
/// Some limits are not told there.
const WEST: &str = "us-west-2";
/// The account has not enabled it.
const BAHRAIN: &str = "me-south-1";
const REGIONS: &[&str] = &[EAST, OHIO, WEST, BAHRAIN];

/// Region, code, limit, usage; everything else is at AWS's default, which is zero for all but
/// Standard.
const QUOTAS: [(&str, &str, f64, f64); 19] = [
    (EAST, STANDARD, 512.0, 148.0),
    (EAST, G, 64.0, 8.0),
    (EAST, P, 96.0, 0.0),
    (EAST, DL, 96.0, 96.0),
    (EAST, F, 24.0, 0.0),
    (EAST, HIGH_MEMORY, 896.0, 448.0),
    (EAST, INF, 96.0, 24.0),
    (EAST, TRN, 128.0, 0.0),
    (EAST, X, 128.0, 64.0),
    (EAST, STANDARD_SPOT, 640.0, 32.0),
    (EAST, G_SPOT, 128.0, 48.0),
    (EAST, P4_SPOT, 96.0, 96.0),
    (EAST, P5_SPOT, 192.0, 0.0),
    (EAST, F_SPOT, 48.0, 0.0),
    (EAST, INF_SPOT, 8.0, 4.0),
    (EAST, X_SPOT, 64.0, 0.0),
    (OHIO, P, 384.0, 192.0),
    (WEST, P, 96.0, 0.0),
    (WEST, STANDARD, 0.0, 0.0),
];

const BACKENDS: [Named; 4] = [
    with("off", Strictness::Off),
    with("nonzero", Strictness::Nonzero),
    with("limit", Strictness::Limit),
    with("headroom", Strictness::Headroom),
];

const fn with(name: &'static str, strictness: Strictness) -> Named {
    Named {
        strictness,
        ..Named::new(name, REGIONS)
    }
}

const OD: bool = false;
const SPOT: bool = true;

/// The expectation: the verdict with how far short it falls, and how many can be launched.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Fits(u64),
    /// The headroom is not enough, but the limit would be.
    ShortOfRoom(u64),
    /// The limit itself is not enough.
    ShortOfLimit(u64),
    /// The limit is zero.
    ShortOfAny,
    Unknown,
}
use Expected::*;

/// Type, its vCPUs, region, market, count; then the binding quota's code and what is expected.
type Question = (
    &'static str,
    u32,
    &'static str,
    bool,
    u32,
    &'static str,
    Expected,
);

const QUESTIONS: [Question; 48] = [
    ("p5.48xlarge", 192, EAST, OD, 1, P, ShortOfLimit(0)),
    ("p5.4xlarge", 16, EAST, OD, 1, P, Fits(6)),
    ("p5.4xlarge", 16, EAST, OD, 6, P, Fits(6)),
    ("p5.4xlarge", 16, EAST, OD, 7, P, ShortOfLimit(6)),
    ("p4d.24xlarge", 96, EAST, OD, 1, P, Fits(1)),
    ("p6-b200.48xlarge", 192, EAST, OD, 1, P, ShortOfLimit(0)),
    ("g6.xlarge", 4, EAST, OD, 1, G, Fits(14)),
    ("g5.xlarge", 4, EAST, OD, 14, G, Fits(14)),
    ("g6.xlarge", 4, EAST, OD, 15, G, ShortOfRoom(14)),
    ("g5.xlarge", 4, EAST, OD, 17, G, ShortOfLimit(14)),
    ("g6.48xlarge", 192, EAST, OD, 1, G, ShortOfLimit(0)),
    ("vt1.3xlarge", 12, EAST, OD, 4, G, Fits(4)),
    ("trn1.32xlarge", 128, EAST, OD, 1, TRN, Fits(1)),
    ("trn1.2xlarge", 8, EAST, OD, 17, TRN, ShortOfLimit(16)),
    ("inf2.xlarge", 4, EAST, OD, 18, INF, Fits(18)),
    ("inf2.xlarge", 4, EAST, OD, 19, INF, ShortOfRoom(18)),
    ("dl1.24xlarge", 96, EAST, OD, 1, DL, ShortOfRoom(0)),
    ("f2.6xlarge", 24, EAST, OD, 1, F, Fits(1)),
    ("f2.6xlarge", 24, EAST, OD, 2, F, ShortOfLimit(1)),
    ("hpc7g.4xlarge", 16, EAST, OD, 1, HPC, ShortOfAny),
    ("u-6tb1.56xlarge", 224, EAST, OD, 2, HIGH_MEMORY, Fits(2)),
    (
        "u7i-12tb.224xlarge",
        896,
        EAST,
        OD,
        1,
        HIGH_MEMORY,
        ShortOfRoom(0),
    ),
    ("x2idn.16xlarge", 64, EAST, OD, 1, X, Fits(1)),
    ("m5.large", 2, EAST, OD, 182, STANDARD, Fits(182)),
    ("m5.large", 2, EAST, OD, 183, STANDARD, ShortOfRoom(182)),
    ("m5.large", 2, EAST, OD, 10_000, STANDARD, ShortOfLimit(182)),
    ("mac2.metal", 8, EAST, OD, 1, "", Unknown),
    ("p5.48xlarge", 192, EAST, SPOT, 1, P5_SPOT, Fits(1)),
    ("p5.4xlarge", 16, EAST, SPOT, 12, P5_SPOT, Fits(12)),
    ("p4d.24xlarge", 96, EAST, SPOT, 1, P4_SPOT, ShortOfRoom(0)),
    ("p6-b200.48xlarge", 192, EAST, SPOT, 1, "", Unknown),
    ("g6.xlarge", 4, EAST, SPOT, 20, G_SPOT, Fits(20)),
    ("vt1.3xlarge", 12, EAST, SPOT, 7, G_SPOT, ShortOfRoom(6)),
    ("trn1.32xlarge", 128, EAST, SPOT, 1, TRN_SPOT, ShortOfAny),
    ("inf2.xlarge", 4, EAST, SPOT, 1, INF_SPOT, Fits(1)),
    ("dl1.24xlarge", 96, EAST, SPOT, 1, DL_SPOT, ShortOfAny),
    ("f2.6xlarge", 24, EAST, SPOT, 2, F_SPOT, Fits(2)),
    ("x2idn.16xlarge", 64, EAST, SPOT, 2, X_SPOT, ShortOfLimit(1)),
    ("m5.large", 2, EAST, SPOT, 304, STANDARD_SPOT, Fits(304)),
    ("hpc7g.4xlarge", 16, EAST, SPOT, 1, "", Unknown),
    ("p5.48xlarge", 192, OHIO, OD, 2, P, Fits(2)),
    ("p5.48xlarge", 192, OHIO, OD, 3, P, ShortOfLimit(2)),
    ("g6.xlarge", 4, OHIO, OD, 1, G, ShortOfAny),
    ("g5.xlarge", 4, WEST, OD, 1, G, Unknown),
    ("p4d.24xlarge", 96, WEST, OD, 1, P, Unknown),
    ("m5.large", 2, WEST, OD, 1, STANDARD, ShortOfAny),
    ("m5.large", 2, BAHRAIN, OD, 1, STANDARD, Unknown),
    ("x2idn.16xlarge", 64, BAHRAIN, SPOT, 1, X_SPOT, Unknown),
];

impl Expected {
    fn verdict(self) -> &'static str {
        match self {
            Fits(_) => "fits",
            ShortOfRoom(_) | ShortOfLimit(_) | ShortOfAny => "short",
            Unknown => "unknown",
        }
    }

    fn launchable(self) -> Option<u64> {
        match self {
            Fits(count) | ShortOfRoom(count) | ShortOfLimit(count) => Some(count),
            ShortOfAny => Some(0),
            Unknown => None,
        }
    }

    /// The answers of the four backends, the mildest first.
    fn availability(self) -> [&'static str; 4] {
        let (unknown, no) = ("unknown", "no_quota");
        match self {
            Fits(_) => ["available"; 4],
            ShortOfRoom(_) => [unknown, unknown, unknown, no],
            ShortOfLimit(_) => [unknown, unknown, no, no],
            ShortOfAny => [unknown, no, no, no],
            Unknown => [unknown; 4],
        }
    }
}

async fn service() -> Service {
    let (aws, account) = simulated(&QUOTAS).await;
    let controls = aws.controls();
    controls.remove_applied(&account.id, WEST, G).unwrap();
    let error = Some("DEPENDENCY_ACCESS_DENIED_ERROR");
    controls
        .set_error_reason(&account.id, WEST, P, error)
        .unwrap();
    controls.inject(
        Fault::new(FaultKind::AccessDenied)
            .region(OHIO)
            .operation("StartQuotaUtilizationReport"),
    );
    let service = Service::new(&aws.url(), &account, &BACKENDS, Vec::new()).await;
    service.read().await;
    service
}

#[tokio::test(start_paused = true)]
async fn every_question_has_the_right_answer() {
    let service = service().await;
    let mut not_offered = BTreeSet::new();
    for question in QUESTIONS {
        let (instance_type, cpus, region, spot, count, code, expected) = question;
        for (backend, availability) in BACKENDS.iter().zip(expected.availability()) {
            let offer = json!({
                "backend": backend.name, "region": region, "instance_type": instance_type,
                "spot": spot, "cpus": cpus,
            });
            let answer = service
                .post(json!({"count": count, "offers": [offer]}))
                .await;
            let said = &answer["verdicts"][0];
            let case = format!("{question:?} under {}: {said}", backend.name);
            assert_eq!(said["availability"], availability, "{case}");
            assert_eq!(said["launchable"], json!(expected.launchable()), "{case}");
            assert_eq!(said["quota"]["verdict"], expected.verdict(), "{case}");
            let binding = &said["quota"]["binding"];
            match code {
                "" => assert_eq!(*binding, Value::Null, "{case}"),
                code => {
                    assert_eq!(binding["code"], code, "{case}");
                    assert_eq!(binding["required"], json!(cpus * count), "{case}");
                }
            }
            let spot = if spot { "true" } else { "false" };
            let found = service
                .get(&format!(
                    "/offers?backend={}&region={region}&instance_type={instance_type}&spot={spot}&count={count}",
                    backend.name
                ))
                .await;
            let Some(found) = found["offers"].get(0) else {
                not_offered.insert((instance_type, region, spot));
                continue;
            };
            for member in ["availability", "launchable", "quota"] {
                assert_eq!(found[member], said[member], "{case}");
            }
        }
    }
    // What the catalog does not list, it need not answer; everything else agreed.
    let expected = [
        ("dl1.24xlarge", EAST, "false"),
        ("dl1.24xlarge", EAST, "true"),
        ("hpc7g.4xlarge", EAST, "true"),
        ("mac2.metal", EAST, "false"),
    ];
    assert_eq!(not_offered, BTreeSet::from(expected));
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_the_members_of_the_contract() {
    let service = service().await;
    let answer = service
        .get("/offers?backend=headroom&region=us-east-1&instance_type=p5.48xlarge&spot=false")
        .await;
    let row = service
        .get("/quotas/headroom/us-east-1?code=L-417A185B")
        .await;
    let url = "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-417A185B";
    let mut binding = row["quotas"][0].clone();
    binding["required"] = json!(192);
    assert_eq!(
        (&binding["limit"], &binding["available"]),
        (&json!(96), &json!(96))
    );
    assert_eq!(
        answer["offers"],
        json!([{
            "backend": "headroom", "region": "us-east-1", "instance_type": "p5.48xlarge",
            "spot": false, "cpus": 192, "memory_gb": 2048.0,
            "gpu": {"name": "H100", "count": 8, "memory_gb": 80.0, "vendor": "nvidia"},
            "price": 55.04, "price_basis": "listed", "availability": "no_quota", "launchable": 0,
            "quota": {
                "verdict": "short", "basis": "headroom",
                "taken_at": row["taken_at"], "freshness": "fresh",
                "binding": binding,
                "reason": "needs 192 vCPU of Running On-Demand P instances in us-east-1; 96 of 96 are free",
                "increase_url": url,
            },
        }])
    );
    assert_eq!(
        (&answer["total"], &answer["next_cursor"]),
        (&json!(1), &Value::Null)
    );
    let backend = &answer["backends"][0];
    assert_eq!(backend["backend"], "headroom");
    assert_eq!(backend["status"], "partial");
    assert_eq!(backend["regions_unknown"], json!(["me-south-1"]));
    assert!(
        backend["failure"]
            .as_str()
            .unwrap()
            .starts_with("not_enabled: ")
    );
    assert_eq!(backend["catalog"]["origin"], "bundled");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_verdict_says_why() {
    let service = service().await;
    for (region, instance_type, reason) in [
        (
            WEST,
            "g5.xlarge",
            "needs 4 vCPU of Running On-Demand G and VT instances in us-west-2; only the cloud's default of 0 is known, not the account's limit",
        ),
        (
            WEST,
            "p4d.24xlarge",
            "needs 96 vCPU of Running On-Demand P instances in us-west-2; its limit is unknown",
        ),
        (
            EAST,
            "mac2.metal",
            "mac2 runs on dedicated hosts only, which no vCPU quota counts",
        ),
    ] {
        let offer =
            json!({"backend": "headroom", "region": region, "instance_type": instance_type});
        let answer = service.post(json!({"offers": [offer]})).await;
        assert_eq!(answer["verdicts"][0]["quota"]["reason"], reason);
    }
    let offer = json!({"backend": "headroom", "region": BAHRAIN, "instance_type": "m5.large"});
    let answer = service.post(json!({"offers": [offer]})).await;
    let quota = &answer["verdicts"][0]["quota"];
    let reason = quota["reason"].as_str().unwrap();
    assert!(
        reason.starts_with(
            "needs 2 vCPU of Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances in \
             me-south-1; the region has not been read yet: not_enabled: "
        ),
        "{reason}"
    );
    assert_eq!(
        (&quota["taken_at"], &quota["freshness"], &quota["basis"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let binding = &quota["binding"];
    assert_eq!(
        (&binding["limit"], &binding["usage"], &binding["available"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&binding["code"], &binding["unit"], &binding["market"]),
        (&json!("L-1216C47A"), &json!("vcpu"), &json!("on_demand"))
    );
}

#[tokio::test(start_paused = true)]
async fn usage_that_is_not_told_makes_the_limit_the_basis() {
    let service = service().await;
    let offer = json!({"backend": "headroom", "region": OHIO, "instance_type": "p5.48xlarge"});
    let answer = service.post(json!({"offers": [offer]})).await;
    let quota = &answer["verdicts"][0]["quota"];
    assert_eq!(quota["basis"], "limit");
    assert_eq!(quota["binding"]["usage"], Value::Null);
}
