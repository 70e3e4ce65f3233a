//! Answers of the AWS protocol.

use aws_sdk_servicequotas::types::ServiceQuota;
use futures_util::future::join_all;

use super::harness::{ACCOUNT, G, KEY, OTHER_KEY, Oracle, P, Plan, QUOTAS_OF_A_REGION, STANDARD};

async fn value(client: &aws_sdk_servicequotas::Client, code: &str) -> f64 {
    let call = client
        .get_service_quota()
        .service_code("ec2")
        .quota_code(code);
    let quota = call.send().await.unwrap().quota.unwrap();
    quota.value.unwrap()
}

async fn listed(client: &aws_sdk_servicequotas::Client, page: Option<i32>) -> Vec<ServiceQuota> {
    let call = client.list_service_quotas().service_code("ec2");
    let pages = call.set_max_results(page).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_sdk_sees_what_aws_itself_says() {
    let oracle = Oracle::start(Plan::default()).await;
    let (ours, theirs) = (oracle.sdk("us-east-1"), oracle.direct("us-east-1"));
    for (service, code) in [("ec2", P), ("ec2", STANDARD), ("ebs", "L-7A658B76")] {
        let ask = |client: &aws_sdk_servicequotas::Client| {
            client
                .get_service_quota()
                .service_code(service)
                .quota_code(code)
                .send()
        };
        let seen = ask(&ours).await.unwrap().quota;
        assert_eq!(seen, ask(&theirs).await.unwrap().quota);
        assert!(seen.unwrap().value.is_some());
        let ask = |client: &aws_sdk_servicequotas::Client| {
            let call = client.get_aws_default_service_quota();
            call.service_code(service).quota_code(code).send()
        };
        let seen = ask(&ours).await.unwrap().quota;
        assert_eq!(seen, ask(&theirs).await.unwrap().quota);
    }
    let theirs = listed(&theirs, None).await;
    let ours = listed(&ours, None).await;
    assert_eq!(ours.len(), 20);
    for quota in ours {
        assert!(theirs.contains(&quota), "{quota:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn defaults_are_listed_as_aws_publishes_them() {
    let oracle = Oracle::start(Plan::default()).await;
    let list = |client: aws_sdk_servicequotas::Client| async move {
        let call = client.list_aws_default_service_quotas().service_code("ec2");
        let pages = call.into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.unwrap()
    };
    let theirs = list(oracle.direct("us-east-1")).await;
    let ours = list(oracle.sdk("us-east-1")).await;
    assert!(ours.len() >= 19, "{}", ours.len());
    for quota in ours {
        assert!(theirs.contains(&quota), "{quota:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_region_is_asked_at_one_address_and_told_apart_by_the_signature() {
    let oracle = Oracle::start(Plan::default()).await;
    assert_eq!(value(&oracle.sdk("us-east-1"), P).await, 192.0);
    assert_eq!(value(&oracle.sdk("us-west-2"), P).await, 96.0);
    assert_eq!(value(&oracle.sdk("ap-northeast-1"), P).await, 8.0);
    assert_eq!(
        oracle.calls("us-east-1", "GetServiceQuota"),
        QUOTAS_OF_A_REGION
    );
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_single_questions_costs_one_read_of_each_region() {
    let oracle = Oracle::start(Plan::default()).await;
    // A dstack server asks twelve regions at once, for three codes one after the other.
    let workers = (0..12).map(|worker| {
        let region = ["us-east-1", "us-west-2"][worker % 2];
        let client = oracle.sdk(region);
        async move {
            for code in [STANDARD, P, G] {
                value(&client, code).await;
            }
        }
    });
    join_all(workers).await;
    for region in ["us-east-1", "us-west-2"] {
        assert_eq!(oracle.calls(region, "GetServiceQuota"), QUOTAS_OF_A_REGION);
    }
}

#[tokio::test(start_paused = true)]
async fn zero_is_an_answer() {
    let oracle = Oracle::start(Plan::default()).await;
    assert_eq!(
        value(&oracle.sdk("ap-northeast-1"), "L-C4BD4855").await,
        0.0
    );
}

#[tokio::test(start_paused = true)]
async fn the_short_address_stands_for_the_backend_that_is_meant() {
    let oracle = Oracle::start(Plan::default()).await;
    // Two backends, one of them named `aws`.
    for path in ["/aws", "/aws/", "/aws/aws", "/aws/aws/"] {
        assert_eq!(
            value(&oracle.client(path, "us-east-1", KEY), STANDARD).await,
            512.0
        );
    }
    // The only one that the key may ask about.
    for path in ["/aws", "/aws/other"] {
        let client = oracle.client(path, "us-east-1", OTHER_KEY);
        assert_eq!(value(&client, STANDARD).await, 256.0);
    }
}

#[tokio::test(start_paused = true)]
async fn headroom_says_what_is_left() {
    let oracle = Oracle::start(Plan {
        backend: r#"aws_protocol = { value = "headroom" }"#,
        ..Plan::default()
    })
    .await;
    assert_eq!(value(&oracle.sdk("us-east-1"), P).await, 96.0);
    assert_eq!(value(&oracle.sdk("us-west-2"), P).await, 0.0);
    let seen = listed(&oracle.sdk("us-west-2"), None).await;
    let p = seen.iter().find(|quota| quota.quota_code() == Some(P));
    assert_eq!(p.unwrap().value, Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn without_usage_headroom_is_the_limit() {
    let oracle = Oracle::start(Plan {
        backend: "usage = \"off\"\naws_protocol = { value = \"headroom\" }",
        ..Plan::default()
    })
    .await;
    assert_eq!(value(&oracle.sdk("us-west-2"), P).await, 96.0);
}

#[tokio::test(start_paused = true)]
async fn either_lets_on_demand_codes_speak_for_spot_offers() {
    let oracle = Oracle::start(Plan {
        backend: r#"aws_protocol = { value = "headroom", market = "either" }"#,
        ..Plan::default()
    })
    .await;
    // On demand 96 are left; of P5 spot all 192.
    assert_eq!(value(&oracle.sdk("us-east-1"), P).await, 192.0);
    // On demand nothing is left; of P4 spot all 192.
    assert_eq!(value(&oracle.sdk("us-west-2"), P).await, 192.0);
    assert_eq!(value(&oracle.sdk("us-west-2"), "L-C4BD4855").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn either_rests_on_codes_however_aws_words_the_names() {
    let oracle = Oracle::start(Plan {
        backend: r#"aws_protocol = { value = "applied", market = "either" }"#,
        ..Plan::default()
    })
    .await;
    let controls = oracle.aws.controls();
    let set = |code: &str, limit, name: &str| {
        let region = "ap-northeast-1";
        controls.set_limit(ACCOUNT, region, code, limit).unwrap();
        controls.set_name(ACCOUNT, region, code, name).unwrap();
    };
    let standard = "Running On-Demand All Standard (A, C, D, H, I, M, R, T, Z) instances";
    set(STANDARD, 5.0, standard);
    set("L-34B43A08", 640.0, "Quota L-34B43A08");
    set(G, 0.0, "Quota L-DB2E81BA");
    set("L-3819A6DF", 48.0, "All G Spot Instance Requests");
    set(P, 0.0, "Quota L-417A185B");
    set("L-7212CCBC", 96.0, "All P Spot Instance Requests");
    set("L-C4BD4855", 192.0, "Quota L-C4BD4855");
    // Names that would mislead whoever went by them.
    set("L-F7808C92", 7.0, "Running On-Demand P instances");
    set("L-E3A00192", 900.0, "All P7 Spot Instance Requests");

    let client = oracle.sdk("ap-northeast-1");
    for (code, expected) in [
        (P, 192.0),
        (G, 48.0),
        (STANDARD, 640.0),
        ("L-F7808C92", 7.0),
    ] {
        assert_eq!(value(&client, code).await, expected, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_together_are_the_whole_list() {
    let oracle = Oracle::start(Plan::default()).await;
    let client = oracle.sdk("us-east-1");
    let whole = listed(&client, None).await;
    for page in [1, 7, 20, 100] {
        assert_eq!(listed(&client, Some(page)).await, whole);
    }
    let one = client
        .list_service_quotas()
        .service_code("ec2")
        .quota_code(P);
    let one = one.send().await.unwrap().quotas.unwrap();
    assert_eq!(one.len(), 1);
    let of_resources = client
        .list_service_quotas()
        .service_code("ec2")
        .quota_applied_at_level("RESOURCE".into());
    assert_eq!(of_resources.send().await.unwrap().quotas, Some(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn one_page_without_a_limit_serves_clients_that_read_the_class_of_every_row() {
    let oracle = Oracle::start(Plan::default()).await;
    let page = oracle
        .sdk("us-east-1")
        .list_service_quotas()
        .service_code("ec2");
    let page = page.send().await.unwrap();
    assert_eq!(page.next_token, None);
    let mut classes = Vec::new();
    for quota in page.quotas() {
        assert!(quota.value.is_some(), "{quota:?}");
        if quota.quota_name().unwrap().contains("On-Demand") {
            let dimensions = quota.usage_metric().unwrap().metric_dimensions().unwrap();
            classes.push(dimensions["Class"].clone());
        }
    }
    assert_eq!(classes.len(), 10);
    assert!(classes.contains(&"P/OnDemand".to_owned()));
}
