//! Quotas that the operator asks for besides: they come along, and never stand in the way.

use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind};

use super::REGION;
use crate::harness::{P, QUOTAS_OF_A_REGION, Setup, calls, plain_aws};

const LIST: &str = "ListServiceQuotas";

#[tokio::test(start_paused = true)]
async fn a_service_that_aws_does_not_know_costs_no_other_quota() {
    let aws = plain_aws().await;
    let more = vec!["vcp/all", "vpc/L-F678F1CE"];
    let setup = Setup::new(&aws).set("backends.0.quotas", more);
    let service = setup.start().await;
    service.ready().await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let rows = body["quotas"].as_array().unwrap().len() as u64;
    assert_eq!(rows, QUOTAS_OF_A_REGION + 1);
    assert_eq!(answer.quota("L-F678F1CE")["limit"], 5);
    let gap = &body["gaps"][0];
    assert_eq!(gap["kind"], "not_found");
    let detail = gap["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("the quotas of vcp were not listed: "),
        "{detail}"
    );
    let advice = gap["advice"].as_str().unwrap();
    assert!(advice.contains("`vcp/all`"), "{advice}");
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_list_what_launches_need_is_read_one_by_one() {
    let aws = plain_aws().await;
    let denied = Fault::new(FaultKind::AccessDenied).operation(LIST);
    aws.controls().inject(denied);
    let setup = Setup::new(&aws).set("backends.0.quotas", "all");
    let service = setup.start().await;
    service.ready().await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.quota(P)["limit_source"], "applied");
    let body = answer.json();
    let rows = body["quotas"].as_array().unwrap().len() as u64;
    assert_eq!(rows, QUOTAS_OF_A_REGION);
    for gap in body["gaps"].as_array().unwrap() {
        assert_eq!(gap["kind"], "denied");
        let advice = gap["advice"].as_str().unwrap();
        assert!(advice.contains("servicequotas:ListServiceQuotas"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_launches_need_and_a_listing_that_goes_in_circles_lacks_is_read_one_by_one() {
    let aws = plain_aws().await;
    let circles = Fault::new(FaultKind::RepeatedToken).operation(LIST);
    aws.controls().inject(circles);
    let setup = Setup::new(&aws).set("backends.0.quotas", "all");
    let service = setup.start().await;
    service.ready().await;
    let body = service.get(REGION).await.json();
    let gap = body["gaps"][0]["detail"].as_str().unwrap();
    assert!(gap.contains("may be incomplete"), "{gap}");
    let rows = body["quotas"].as_array().unwrap();
    let is_of_vcpus = |row: &&Value| row["unit"] == "vcpu";
    let of_vcpus: Vec<_> = rows.iter().filter(is_of_vcpus).collect();
    assert_eq!(of_vcpus.len(), 19);
    for row in of_vcpus {
        assert_eq!(row["limit_source"], "applied", "{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_service_is_listed_through_empty_pages_and_around_repeated_ones() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).set("backends.0.quotas", vec!["vpc/all"]);
    let listing = |kind| Fault::new(kind).operation(LIST);

    aws.controls()
        .inject(listing(FaultKind::EmptyPage).times(1));
    let service = setup.start().await;
    service.ready().await;
    let body = service.get(REGION).await.json();
    assert_eq!(body["gaps"], Value::Null);
    let rows = body["quotas"].as_array().unwrap();
    let of_vpc = rows.iter().filter(|row| row["service"] == "vpc").count() as u64;
    assert!(of_vpc > 5, "{of_vpc}");
    assert_eq!(rows.len() as u64, QUOTAS_OF_A_REGION + of_vpc);
    service.stop().await;

    aws.controls().reset_counters();
    aws.controls().inject(listing(FaultKind::RepeatedToken));
    let service = setup.start().await;
    service.ready().await;
    let body = service.get(REGION).await.json();
    let gap = body["gaps"][0]["detail"].as_str().unwrap();
    assert!(
        gap.contains("listing of vpc") && gap.contains("may be incomplete"),
        "{gap}"
    );
    assert!(calls(&aws.controls(), LIST) <= 3);
    assert_eq!(body["quotas"].as_array().unwrap().len(), rows.len());
}
