//! Regions, permissions and values that AWS keeps back, and what is made of that.

use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::aws::{Fault, FaultKind, Filter};

use crate::harness::{
    ACCOUNT, P, Process, Service, Setup, all_calls, calls, let_time_pass, plain_aws,
};

const REGION: &str = "/quotas/aws/us-east-1";
const GP3: &str = "L-7A658B76";

async fn started(setup: Setup) -> Service {
    let service = setup.start().await;
    service.ready().await;
    service
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_not_enabled_is_recognised_and_left_alone_for_hours() {
    let aws = plain_aws().await;
    let regions = vec!["us-east-1", "me-central-1", "eu-west-1"];
    let service = started(Setup::new(&aws).set("backends.0.regions", regions)).await;

    let body = service
        .get("/quotas/aws/me-central-1")
        .await
        .problem(502, "cloud-refused");
    assert_eq!(body["failure"]["kind"], "not_enabled");
    assert_eq!(
        body["failure"]["advice"],
        "enable me-central-1 for the account, or leave it out of `regions`"
    );
    assert!(body["retry_after_seconds"].as_u64().unwrap() > 5 * 3600);
    let overview = service.get("/quotas").await.json();
    assert_eq!(overview["backends"][0]["status"], "partial");
    for region in ["us-east-1", "eu-west-1"] {
        let answer = service.get(&format!("/quotas/aws/{region}")).await;
        assert_eq!(answer.json()["freshness"], "fresh");
    }

    let there = Filter::any().region("me-central-1");
    let so_far = aws.controls().calls(&there);
    for _ in 0..12 {
        let_time_pass(Duration::from_secs(15 * 60)).await;
        let answer = service.get("/quotas/aws/me-central-1").await;
        answer.problem(502, "cloud-refused");
        assert_eq!(aws.controls().calls(&there), so_far);
    }
    let answer = service.get(REGION).await;
    assert_ne!(answer.json()["freshness"], "expired");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_nobody_has_are_told_from_regions_that_are_not_enabled() {
    let aws = plain_aws().await;
    let regions = vec!["us-east-1", "me-central-1", "eu-west-1"];
    let setup = Setup::new(&aws)
        .set("backends.0.regions", regions.clone())
        .set("backends.0.credentials.access_key_id", "AKIANOBODY");
    let service = started(setup).await;

    for region in regions {
        let body = service.get(&format!("/quotas/aws/{region}")).await;
        let body = body.problem(502, "cloud-refused");
        assert_eq!(body["failure"]["kind"], "denied", "{region}");
        assert_eq!(
            body["failure"]["advice"],
            "check the backend's credentials: AWS does not know them"
        );
    }
    let overview = service.get("/quotas").await.json();
    assert_eq!(overview["backends"][0]["status"], "unavailable");
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_heal_when_they_are_renewed() {
    let aws = plain_aws().await;
    aws.controls()
        .inject(Fault::new(FaultKind::ExpiredCredentials));
    let service = started(Setup::new(&aws)).await;
    let body = service.get(REGION).await.problem(502, "cloud-refused");
    assert_eq!(body["failure"]["kind"], "denied");
    assert_eq!(
        body["failure"]["advice"],
        "renew or correct the backend's credentials"
    );

    aws.controls().clear_faults();
    let_time_pass(Duration::from_secs(75)).await;
    assert_eq!(service.get(REGION).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_for_usage_the_limits_are_still_told() {
    let aws = plain_aws().await;
    aws.controls()
        .inject(Fault::new(FaultKind::AccessDenied).operation("StartQuotaUtilizationReport"));
    let service = started(Setup::new(&aws)).await;
    let body = service.get(REGION).await.json();
    assert_eq!(body["gaps"].as_array().unwrap().len(), 1);
    assert_eq!(body["gaps"][0]["kind"], "denied");
    let advice = body["gaps"][0]["advice"].as_str().unwrap();
    assert!(
        advice.contains("servicequotas:StartQuotaUtilizationReport"),
        "{advice}"
    );
    for row in body["quotas"].as_array().unwrap() {
        assert!(row["limit"].is_number() && row["usage"].is_null(), "{row}");
        assert_eq!(
            (&row["available"], &row["limit_source"]),
            (&Value::Null, &json!("applied"))
        );
    }
    assert!(body["last_failure"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_failed_report_leaves_usage_unknown_and_not_zero() {
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::ReportFails));
    let service = started(Setup::new(&aws)).await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.json()["gaps"][0]["kind"], "unavailable");
    assert_eq!(answer.quota(P)["usage"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_aws_does_not_keep_is_its_default_and_labelled_so() {
    let aws = plain_aws().await;
    let cloud = aws.controls();
    cloud
        .remove_applied(ACCOUNT, "us-east-1", "L-1216C47A")
        .unwrap();
    cloud
        .set_error_reason(
            ACCOUNT,
            "us-east-1",
            P,
            Some("DEPENDENCY_ACCESS_DENIED_ERROR"),
        )
        .unwrap();
    let service = started(Setup::new(&aws)).await;
    let answer = service.get(REGION).await;

    let row = answer.quota("L-1216C47A");
    assert_eq!(
        (&row["limit"], &row["limit_source"]),
        (&json!(5), &json!("default"))
    );
    assert_eq!(row["default"], 5);
    let row = answer.quota(P);
    assert_eq!(
        (&row["limit"], &row["limit_kind"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(row["limit_source"], Value::Null, "there is no limit");
    assert_eq!(row["available"], Value::Null);
    let row = answer.quota("L-DB2E81BA");
    assert_eq!(
        (&row["limit"], &row["limit_source"]),
        (&json!(0), &json!("applied"))
    );
}

#[tokio::test(start_paused = true)]
async fn usage_that_is_switched_off_costs_no_call() {
    let aws = plain_aws().await;
    let service = started(Setup::new(&aws).set("backends.0.usage", "off")).await;
    let body = service.get(REGION).await.json();
    assert_eq!(
        (&body["gaps"], &body["quotas"][0]["usage"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        all_calls(&aws.controls()),
        calls(&aws.controls(), "GetServiceQuota")
    );
}

#[tokio::test(start_paused = true)]
async fn usage_is_the_nearest_whole_unit_of_a_percentage() {
    let aws = plain_aws().await;
    let cloud = aws.controls();
    cloud.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    cloud.set_usage(ACCOUNT, "us-east-1", P, 97.0).unwrap();
    let service = started(Setup::new(&aws)).await;
    let row = service.get(REGION).await.quota(P);
    assert_eq!((&row["usage"], &row["available"]), (&json!(97), &json!(95)));
    assert!(row["usage_as_of"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (&row["unit"], &row["market"]),
        (&json!("vcpu"), &json!("on_demand"))
    );
    let url = "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-417A185B";
    assert_eq!(row["increase_url"], url);
}

#[tokio::test(start_paused = true)]
async fn storage_is_counted_in_bytes() {
    const TIB: u64 = 1 << 40;
    let aws = plain_aws().await;
    let cloud = aws.controls();
    cloud.set_limit(ACCOUNT, "us-east-1", GP3, 100.0).unwrap();
    cloud.set_usage(ACCOUNT, "us-east-1", GP3, 25.0).unwrap();
    let service = started(Setup::new(&aws)).await;
    let row = service.get(REGION).await.quota(GP3);
    assert_eq!(row["unit"], "byte");
    assert_eq!(
        (&row["limit"], &row["usage"]),
        (&json!(100 * TIB), &json!(25 * TIB))
    );
    assert_eq!(
        (&row["available"], &row["default"]),
        (&json!(75 * TIB), &json!(50 * TIB))
    );
}

#[tokio::test(start_paused = true)]
async fn quotas_that_are_asked_for_by_code_are_read_too() {
    let aws = plain_aws().await;
    let more = vec!["ebs/L-309BACF6", "vpc/L-2AFB9258", "ec2/L-NOSUCH00"];
    let service = started(Setup::new(&aws).set("backends.0.quotas", more)).await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.quota("L-309BACF6")["service"], "ebs");
    assert_eq!(answer.quota("L-2AFB9258")["limit"], 5);
    assert_eq!(
        answer.quota("L-2AFB9258")["usage"],
        Value::Null,
        "it is not metered"
    );
    let gap = &answer.json()["gaps"][0];
    assert_eq!(
        gap["detail"],
        "AWS knows no quota ec2/L-NOSUCH00 in us-east-1"
    );
}

#[tokio::test(start_paused = true)]
async fn all_quotas_are_listed_through_empty_pages_and_around_repeated_ones() {
    let aws = plain_aws().await;
    let all = Setup::new(&aws).set("backends.0.quotas", "all");
    let listing = |kind, times| Fault::new(kind).operation("ListServiceQuotas").times(times);

    aws.controls().inject(listing(FaultKind::EmptyPage, 1));
    let service = started(all.clone()).await;
    let body = service.get(REGION).await.json();
    assert!(body["quotas"].as_array().unwrap().len() > 1_500);
    assert_eq!(body["gaps"], Value::Null);

    aws.controls()
        .inject(listing(FaultKind::RepeatedToken, 1_000));
    let so_far = calls(&aws.controls(), "ListServiceQuotas");
    let service = started(all).await;
    let body = service.get(REGION).await.json();
    let gap = body["gaps"][0]["detail"].as_str().unwrap();
    assert!(gap.contains("may be incomplete"), "{gap}");
    assert!(calls(&aws.controls(), "ListServiceQuotas") - so_far < 10);
    assert_eq!(
        service.get(REGION).await.quota(P)["code"],
        P,
        "what launches need is there"
    );
}

#[tokio::test(start_paused = true)]
async fn two_accounts_in_one_process_do_not_mix() {
    let aws = plain_aws().await;
    aws.controls()
        .set_limit(ACCOUNT, "us-east-1", P, 96.0)
        .unwrap();
    aws.controls()
        .set_limit("210987654321", "us-east-1", P, 768.0)
        .unwrap();
    let setup = Setup::new(&aws).other_account();
    aws.controls().verify_signatures(true);
    let service = started(setup).await;
    for (backend, account, limit) in [("aws", ACCOUNT, 96), ("other", "210987654321", 768)] {
        let answer = service.get(&format!("/quotas/{backend}/us-east-1")).await;
        assert_eq!(answer.json()["account"], account);
        assert_eq!(answer.quota(P)["limit"], limit);
    }
}

/// The SDK's chain reads the environment, which only a process of its own may have.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_with_its_external_id() {
    let aws = plain_aws().await;
    aws.controls().verify_signatures(true);
    let role = |external_id: &str| {
        let mut credentials = toml::toml! {
            source = "assume_role"
            role_arn = "arn:aws:iam::210987654321:role/quota-reader"
        };
        credentials.insert("external_id".to_owned(), external_id.into());
        Setup::new(&aws)
            .set("backends.0.credentials", credentials)
            .write()
    };
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
    ];
    let file = role("quota-oracle-demo");
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body: Value = reqwest::get(format!("{url}{REGION}"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body["account"], "210987654321", "{body}");

    let file = role("somebody-elses");
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let body: Value = reqwest::get(format!("{url}{REGION}"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body["failure"]["kind"], "denied", "{body}");
    assert_eq!(
        body["failure"]["advice"],
        "grant sts:AssumeRole to the backend's credentials, and see whom the role's trust policy \
         names, and with which external id"
    );

    // What passes by itself is not taken for wrong credentials.
    for (fault, kind) in [
        (FaultKind::Throttle, "throttled"),
        (FaultKind::Unavailable, "unavailable"),
    ] {
        aws.controls().clear_faults();
        aws.controls()
            .inject(Fault::new(fault).operation("AssumeRole"));
        let file = role("quota-oracle-demo");
        let (_process, url) = Process::serve(&file.path, &environment).await;
        let answer = reqwest::get(format!("{url}{REGION}")).await.unwrap();
        assert_eq!(answer.status(), 503);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["failure"]["kind"], kind, "{body}");
    }
}
