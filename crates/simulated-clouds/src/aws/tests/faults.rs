//! Each fault as a client meets it.

use std::time::Duration;

use aws_sdk_servicequotas::error::SdkError;

use super::*;
use crate::aws::{Fault, FaultKind, Filter};

fn ask(
    client: &Client,
) -> aws_sdk_servicequotas::operation::get_service_quota::builders::GetServiceQuotaFluentBuilder {
    client.get_service_quota().service_code("ec2").quota_code(P)
}

#[tokio::test]
async fn faults_that_refuse_have_aws_s_codes() {
    let aws = start().await;
    let client = client(&aws, "us-east-1");
    let cases = [
        (FaultKind::Throttle, "TooManyRequestsException", 400),
        (FaultKind::WrongClock, "InvalidSignatureException", 400),
        (FaultKind::ServiceFailure, "ServiceException", 500),
        (FaultKind::Unavailable, "ServiceUnavailableException", 503),
        (FaultKind::AccessDenied, "AccessDeniedException", 400),
        (FaultKind::ExpiredCredentials, "ExpiredTokenException", 400),
        (
            FaultKind::RegionNotEnabled,
            "UnrecognizedClientException",
            400,
        ),
    ];
    for (kind, code, status) in cases {
        aws.controls().inject(Fault::new(kind).times(1));
        assert_eq!(refusal!(ask(&client).send()), seen(code, status));
    }
    ask(&client).send().await.unwrap();
}

#[tokio::test]
async fn a_throttled_caller_may_be_told_how_long_to_wait() {
    let aws = start().await;
    let fault = FaultKind::ThrottleFor { milliseconds: 1500 };
    aws.controls().inject(Fault::new(fault));
    let error = ask(&client(&aws, "us-east-1")).send().await.unwrap_err();
    let response = error.raw_response().unwrap();
    assert_eq!(response.headers().get("x-amz-retry-after"), Some("1500"));
    assert_eq!(response.status().as_u16(), 400);
}

#[tokio::test]
async fn a_denial_names_the_caller_and_the_action() {
    let aws = start().await;
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    let error = ask(&client(&aws, "us-east-1")).send().await.unwrap_err();
    let message = error.into_service_error().to_string();
    assert!(
        message.contains(
            "User: arn:aws:iam::123456789012:user/quota-reader is not authorized to perform: \
             servicequotas:GetServiceQuota"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn a_fault_meets_only_the_calls_it_is_meant_for() {
    let aws = start().await;
    let fault = Fault::new(FaultKind::Throttle).region("us-east-1");
    aws.controls().inject(fault.operation("GetServiceQuota"));
    let (here, there) = (client(&aws, "us-east-1"), client(&aws, "eu-west-1"));
    assert_eq!(
        refusal!(ask(&here).send()),
        seen("TooManyRequestsException", 400)
    );
    here.list_services().send().await.unwrap();
    ask(&there).send().await.unwrap();
    aws.controls().clear_faults();
    ask(&here).send().await.unwrap();
}

#[tokio::test]
async fn a_reset_connection_is_no_answer() {
    let aws = start().await;
    aws.controls().inject(Fault::new(FaultKind::Reset).times(1));
    let client = client(&aws, "us-east-1");
    let error = ask(&client).send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(aws.controls().log()[0].outcome, "reset");
    ask(&client).send().await.unwrap();
}

#[tokio::test]
async fn a_hanging_call_counts_as_under_way_until_the_client_gives_up() {
    let aws = start().await;
    let controls = aws.controls();
    controls.inject(Fault::new(FaultKind::Hang).operation("GetServiceQuota"));
    let client = client(&aws, "us-east-1");
    let (first, second) = (ask(&client).send(), ask(&client).send());
    let both = tokio::spawn(async { tokio::join!(first, second) });
    while controls.calls(&Filter::any()) < 2 {
        tokio::task::yield_now().await;
    }
    assert!(!both.is_finished());
    both.abort();
    assert_eq!(controls.max_concurrency(), 2);
    client.list_services().send().await.unwrap();
    assert_eq!(
        controls.max_concurrency_of_one(&Filter::any().operation("GetServiceQuota")),
        2
    );
}

#[tokio::test]
async fn stopping_ends_a_hanging_call() {
    let aws = start().await;
    aws.controls().inject(Fault::new(FaultKind::Hang));
    let client = client(&aws, "us-east-1");
    let call = tokio::spawn(ask(&client).send());
    while aws.controls().calls(&Filter::any()) < 1 {
        tokio::task::yield_now().await;
    }
    drop(aws);
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn a_malformed_answer_is_an_error_without_a_code_or_has_no_quota() {
    let aws = start().await;
    let client = client(&aws, "us-east-1");
    for kind in [FaultKind::BrokenJson, FaultKind::Html] {
        aws.controls().inject(Fault::new(kind).times(1));
        assert_eq!(refusal!(ask(&client).send()), (None, Some(200)));
    }
    aws.controls()
        .inject(Fault::new(FaultKind::EmptyObject).times(1));
    assert_eq!(ask(&client).send().await.unwrap().quota, None);
}

#[tokio::test]
async fn an_empty_page_leads_on_and_a_repeated_token_does_not() {
    let aws = start().await;
    let client = client(&aws, "us-east-1");
    let list = || {
        client
            .list_service_quotas()
            .service_code("vpc")
            .max_results(4)
    };
    aws.controls()
        .inject(Fault::new(FaultKind::EmptyPage).times(1));
    let empty = list().send().await.unwrap();
    assert!(empty.quotas().is_empty());
    let token = empty.next_token.unwrap();
    let page = list().next_token(&token).send().await.unwrap();
    assert_eq!(page.quotas().len(), 4);

    aws.controls()
        .inject(Fault::new(FaultKind::RepeatedToken).times(1));
    let token = page.next_token.unwrap();
    let last = list().next_token(&token).send().await.unwrap();
    assert_eq!(last.quotas().len(), 3);
    assert_eq!(last.next_token(), Some(token.as_str()));
}

#[tokio::test]
async fn a_slow_answer_is_the_right_one_later() {
    let aws = start().await;
    let by = Duration::from_millis(30);
    aws.controls().inject(Fault::slow(by));
    let asked = std::time::Instant::now();
    ask(&client(&aws, "us-east-1")).send().await.unwrap();
    assert!(asked.elapsed() >= by);
}
