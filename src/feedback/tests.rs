//! Laws of the classification; real errors are in tests/it/feedback.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::Amount;

fn unnamed(_: &str, _: Market) -> Option<NamedQuota> {
    None
}

fn of(cloud: &str, message: &str) -> Meaning {
    let error = LaunchError {
        message,
        ..LaunchError::EMPTY
    };
    classify(cloud, &error, &unnamed)
}

#[test]
fn what_no_table_speaks_of_changes_nothing() {
    for cloud in known_clouds().chain(["vastai"]) {
        for message in [
            "",
            "quota",
            "the quota limit capacity was exceeded",
            "insufficient everything, limit 5, usage 3",
            "{\"error\": {\"code\": \"SomethingNew\", \"message\": \"limit: 12\"}}",
        ] {
            let meaning = of(cloud, message);
            assert_eq!(meaning, Meaning::unrecognised(), "{cloud}: {message}");
        }
    }
}

#[test]
fn a_code_of_another_cloud_means_nothing() {
    assert_eq!(of("gcp", "VcpuLimitExceeded: no").class, Class::Other);
    assert_eq!(of("aws", "QUOTA_EXCEEDED: no").class, Class::Other);
    assert_eq!(of("azure", "Out of host capacity.").class, Class::Other);
}

#[test]
fn a_code_in_an_address_or_an_encoded_message_is_not_read() {
    for message in [
        "see https://docs.example/VcpuLimitExceeded: for more",
        "Encoded authorization failure message: VcpuLimitExceeded",
    ] {
        assert!(!of("aws", message).is_recognised, "{message}");
    }
}

#[test]
fn the_innermost_detail_decides() {
    let details = json!({
        "code": "OperationNotAllowed",
        "details": [{"code": "AllocationFailed", "message": "no room"}],
    });
    let error = LaunchError {
        code: Some("QuotaExceeded"),
        details: Some(&details),
        ..LaunchError::EMPTY
    };
    assert_eq!(classify("azure", &error, &unnamed).class, Class::Capacity);
}

#[test]
fn numbers_are_read_with_thousands_separators_and_beside_the_name_that_they_belong_to() {
    let message = "Quota 'N2_CPUS' exceeded.  Limit: 1,024.0 in region us-east1.";
    let meaning = of("gcp", message);
    assert_eq!(meaning.limit, Amount::new(1024.0));
    let meaning = of(
        "nebius",
        "Quota failure, violations: compute.instance.gpu.h100 9 of 8: quota exceeded; \
         compute.disk.count 3 of 2: quota exceeded",
    );
    assert_eq!(meaning.quota.unwrap().name, "compute.instance.gpu.h100");
    assert_eq!(
        (meaning.limit, meaning.required),
        (Amount::new(8.0), Amount::new(9.0))
    );
}

#[test]
fn a_want_of_capacity_beside_a_code_that_nobody_knows_proves_nothing() {
    let beside = "Got return codes 'ZONE_RESOURCE_POOL_EXHAUSTED', 'BRAND_NEW' in us-east1-b: 'no'";
    assert_eq!(of("gcp", beside).class, Class::Other);
    let alone = "Got return codes 'VM_MIN_COUNT_NOT_REACHED', 'ZONE_RESOURCE_POOL_EXHAUSTED' in \
                 us-east1-b: 'no'";
    assert_eq!(of("gcp", alone).class, Class::Capacity);
}

/// The slowest that a text of the greatest length may be, with room for a busy machine and a build
/// without optimization: what grows with the square of it takes minutes.
const SLOWEST: Duration = Duration::from_secs(20);

#[test]
fn a_huge_text_takes_no_longer_than_one_of_the_greatest_length() {
    for part in [
        "{\"code\":\"",
        "Quota 'A' ",
        "\\",
        "(limit 1, requested ",
        "a-a1-a ",
        "9,999",
    ] {
        let message = part.repeat(4 * MOST_TEXT / part.len());
        let started = Instant::now();
        of("gcp", &message);
        assert!(
            started.elapsed() < SLOWEST,
            "{part}: {:?}",
            started.elapsed()
        );
    }
}

fn cloud() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(known_clouds().collect::<Vec<_>>())
}

/// Texts that are made of what messages are made of.
fn message() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("VcpuLimitExceeded: ".to_owned()),
        Just("Quota 'NVIDIA_T4_GPUS' exceeded. ".to_owned()),
        Just("Limit: 1,000.0 in region us-east1".to_owned()),
        Just("exceeding approved standardF Cores quota, Current Limit: 5".to_owned()),
        Just("{\"code\": \"quota_failure\", \"limit\": \"".to_owned()),
        Just("zones/us-east1-b".to_owned()),
        Just("Out of host capacity".to_owned()),
        Just("\\\"\\n".to_owned()),
        ".{0,40}",
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nothing_that_a_caller_sends_breaks_it(
        cloud in cloud(),
        message in message(),
        code in proptest::option::of(".{0,60}"),
        detail in ".{0,60}",
        http_status in proptest::option::of(0u16..1000),
    ) {
        let details = json!([{"code": code, "message": detail, "details": [detail]}]);
        let error = LaunchError {
            code: code.as_deref(),
            message: &message,
            http_status,
            details: Some(&details),
            zone: Some(&detail),
            ..LaunchError::EMPTY
        };
        let meaning = classify(cloud, &error, &unnamed);
        // Numbers are told of a quota only.
        if meaning.class != Class::Quota {
            prop_assert_eq!((meaning.limit, meaning.usage, meaning.quota), (None, None, None));
        }
    }

    #[test]
    fn a_wrapper_changes_nothing_of_what_is_inside(limit in 0u32..5_000_000) {
        let inner = format!(
            "You have requested more vCPU capacity than your current vCPU limit of {limit} allows \
             for the instance bucket that the specified instance type belongs to."
        );
        for wrapped in [
            format!("An error occurred (VcpuLimitExceeded) when calling the RunInstances operation: {inner}"),
            format!("api error VcpuLimitExceeded: {inner}"),
            format!("<Code>VcpuLimitExceeded</Code><Message>{inner}</Message>"),
            Value::String(format!("{{'Code': 'VcpuLimitExceeded', 'Message': '{inner}'}}")).to_string(),
        ] {
            let meaning = of("aws", &wrapped);
            prop_assert_eq!(meaning.class, Class::Quota, "{}", wrapped);
            prop_assert_eq!(meaning.limit, Some(Amount::from(limit)));
        }
    }
}
