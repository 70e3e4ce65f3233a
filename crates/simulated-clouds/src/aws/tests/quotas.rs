//! Quotas: values, what is missing, pages, and who is let in.

use std::collections::BTreeSet;

use super::*;
use crate::aws::{Filter, RateLimit, RateLimits};

#[tokio::test]
async fn a_quota_has_all_that_aws_tells() {
    let aws = start().await;
    aws.controls()
        .set_limit(ACCOUNT, "us-east-1", P, 192.0)
        .unwrap();
    let call = client(&aws, "us-east-1").get_service_quota();
    let answer = call.service_code("ec2").quota_code(P).send().await.unwrap();
    let quota = answer.quota().unwrap();
    assert_eq!(quota.value(), Some(192.0));
    assert_eq!(quota.quota_name(), Some("Running On-Demand P instances"));
    assert_eq!(quota.unit(), Some("None"));
    assert_eq!(
        quota.quota_arn(),
        Some("arn:aws:servicequotas:us-east-1:123456789012:ec2/L-417A185B")
    );
    let dimensions = quota.usage_metric().unwrap().metric_dimensions().unwrap();
    assert_eq!(dimensions["Class"], "P/OnDemand");
}

#[tokio::test]
async fn accounts_and_regions_have_values_of_their_own() {
    let aws = start().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "eu-west-1", P, 96.0).unwrap();
    let value = async |client: Client| {
        let call = client.get_service_quota().service_code("ec2").quota_code(P);
        call.send().await.unwrap().quota.unwrap().value
    };
    assert_eq!(value(client(&aws, "eu-west-1")).await, Some(96.0));
    assert_eq!(value(client(&aws, "us-east-1")).await, Some(0.0));
    let other = client_as(&aws, "eu-west-1", other_user());
    assert_eq!(value(other).await, Some(0.0));
}

#[tokio::test]
async fn a_default_quota_belongs_to_no_account() {
    let aws = start().await;
    let call = client(&aws, "us-east-2").get_aws_default_service_quota();
    let call = call.service_code("ec2").quota_code(STANDARD);
    let quota = call.send().await.unwrap().quota.unwrap();
    assert_eq!(quota.value(), Some(5.0));
    assert_eq!(
        quota.quota_arn(),
        Some("arn:aws:servicequotas:us-east-2::ec2/L-1216C47A")
    );
}

#[tokio::test]
async fn all_pages_together_hold_every_quota_once() {
    let aws = start().await;
    let controls = aws.controls();
    controls.set_rate_limits(RateLimits::unlimited());
    let client = client(&aws, "us-east-1");
    let mut pages = client
        .list_service_quotas()
        .service_code("ec2")
        .max_results(100)
        .into_paginator()
        .send();
    let mut codes = Vec::new();
    while let Some(page) = pages.next().await {
        codes.extend(
            page.unwrap()
                .quotas
                .unwrap()
                .into_iter()
                .map(|q| q.quota_code),
        );
    }
    let distinct: BTreeSet<_> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
    assert!(codes.len() > 1_500);
    let pages = codes.len().div_ceil(100) as u64;
    let listed = Filter::any().operation("ListServiceQuotas");
    assert_eq!(controls.calls(&listed), pages);
}

#[tokio::test]
async fn a_page_token_is_worth_nothing_in_another_region() {
    let aws = start().await;
    let first = client(&aws, "us-east-1");
    let page = first.list_service_quotas().service_code("ec2").send();
    let token = page.await.unwrap().next_token.unwrap();
    let elsewhere = client(&aws, "us-west-2").list_service_quotas();
    let call = elsewhere.service_code("ec2").next_token(token).send();
    assert_eq!(refusal!(call), seen("InvalidPaginationTokenException", 400));
}

#[tokio::test]
async fn a_quota_without_an_applied_value_is_absent() {
    let aws = start().await;
    aws.controls()
        .remove_applied(ACCOUNT, "us-east-1", "L-F678F1CE")
        .unwrap();
    let client = client(&aws, "us-east-1");
    let get = client.get_service_quota().service_code("vpc");
    let get = get.quota_code("L-F678F1CE").send();
    assert_eq!(refusal!(get), seen("NoSuchResourceException", 400));
    let list = client.list_service_quotas().service_code("vpc").send();
    let listed = list.await.unwrap().quotas.unwrap();
    assert_eq!(listed.len(), 6);
    let defaults = client.list_aws_default_service_quotas();
    let defaults = defaults.service_code("vpc").send().await.unwrap();
    assert_eq!(defaults.quotas().len(), 7);
}

#[tokio::test]
async fn an_error_reason_stands_in_the_place_of_a_value() {
    let aws = start().await;
    let reason = Some("DEPENDENCY_THROTTLING_ERROR");
    let controls = aws.controls();
    controls
        .set_error_reason(ACCOUNT, "us-east-1", P, reason)
        .unwrap();
    let call = client(&aws, "us-east-1").list_service_quotas();
    let call = call.service_code("ec2").quota_code(P).send();
    let quotas = call.await.unwrap().quotas.unwrap();
    assert_eq!(quotas[0].value(), None);
    let seen = quotas[0].error_reason().unwrap().error_code().unwrap();
    assert_eq!(seen.as_str(), "DEPENDENCY_THROTTLING_ERROR");
}

#[tokio::test]
async fn bad_parameters_are_illegal_arguments() {
    let aws = start().await;
    let client = client(&aws, "us-east-1");
    let none = client.list_service_quotas().service_code("").send();
    assert_eq!(refusal!(none), seen("IllegalArgumentException", 400));
    let many = client.list_service_quotas().service_code("ec2");
    let many = many.max_results(101).send();
    assert_eq!(refusal!(many), seen("IllegalArgumentException", 400));
    let unknown = client.list_service_quotas().service_code("nosuch").send();
    assert_eq!(refusal!(unknown), seen("NoSuchResourceException", 400));
}

#[tokio::test]
async fn an_unknown_key_and_a_region_not_enabled_look_alike() {
    let aws = start().await;
    let stranger = Credentials::from_keys("AKIDNOBODY", "secret", None);
    let stranger = client_as(&aws, "us-east-1", stranger);
    let call = stranger.list_services().send();
    assert_eq!(refusal!(call), seen("UnrecognizedClientException", 400));
    let call = client(&aws, "af-south-1").list_services().send();
    assert_eq!(refusal!(call), seen("UnrecognizedClientException", 400));
}

#[tokio::test]
async fn what_is_not_simulated_is_denied_as_to_a_reader() {
    let aws = start().await;
    let call = client(&aws, "us-east-1").request_service_quota_increase();
    let call = call.service_code("ec2").quota_code(P).desired_value(9.0);
    assert_eq!(refusal!(call.send()), seen("AccessDeniedException", 400));
}

#[tokio::test]
async fn a_burst_beyond_the_bucket_is_throttled() {
    let aws = start().await;
    // So slow that nothing trickles in while the test runs.
    let limit = RateLimit {
        per_second: 1e-9,
        burst: 3.0,
    };
    let controls = aws.controls();
    controls.set_rate_limits(RateLimits::unlimited().with("ListServices", limit));
    let client = client(&aws, "us-east-1");
    for _ in 0..3 {
        client.list_services().send().await.unwrap();
    }
    assert_eq!(
        refusal!(client.list_services().send()),
        seen("TooManyRequestsException", 400)
    );
    assert_eq!(controls.calls(&Filter::any()), 4);
    assert_eq!(controls.throttled(&Filter::any().region("us-east-1")), 1);
    assert_eq!(controls.throttled(&Filter::any().region("us-west-2")), 0);
    assert_eq!(controls.log()[3].outcome, "TooManyRequestsException");
}

#[tokio::test]
async fn a_wrong_secret_is_found_out_when_signatures_are_checked() {
    let aws = start().await;
    aws.controls().verify_signatures(true);
    let right = client(&aws, "us-east-1").list_services().send().await;
    assert_eq!(right.unwrap().services().len(), 3);
    let wrong = Credentials::from_keys("AKIAIOSFODNN7EXAMPLE", "guess", None);
    let call = client_as(&aws, "us-east-1", wrong).list_services().send();
    assert_eq!(refusal!(call), seen("InvalidSignatureException", 400));
}
