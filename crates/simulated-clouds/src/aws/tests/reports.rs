//! The life of a utilization report.

use std::time::Duration;

use aws_sdk_servicequotas::types::ReportStatus;

use super::*;
use crate::aws::{Fault, FaultKind, RateLimits, ReportTiming};

/// A report with this timing, and what it says once it is asked for.
async fn status_after(timing: ReportTiming) -> Result<ReportStatus, Option<String>> {
    use aws_sdk_servicequotas::error::ProvideErrorMetadata;
    let aws = start().await;
    let client = client(&aws, "us-east-1");
    let started = client.start_quota_utilization_report().send().await;
    let id = started.unwrap().report_id.unwrap();
    aws.controls().set_report_timing(timing);
    let get = client.get_quota_utilization_report().report_id(id).send();
    get.await
        .map(|report| report.status.unwrap())
        .map_err(|error| error.code().map(str::to_owned))
}

#[tokio::test]
async fn a_report_is_pending_then_completed_then_gone() {
    let timing = |takes, kept_for| ReportTiming {
        takes,
        kept_for,
        reused_for: Duration::ZERO,
    };
    let (hour, none) = (Duration::from_hours(1), Duration::ZERO);
    assert_eq!(
        status_after(timing(hour, hour)).await,
        Ok(ReportStatus::Pending)
    );
    assert_eq!(
        status_after(timing(none, hour)).await,
        Ok(ReportStatus::Completed)
    );
    assert_eq!(
        status_after(timing(none, none)).await,
        Err(Some("NoSuchResourceException".to_owned()))
    );
}

#[tokio::test]
async fn rows_come_in_pages_the_most_used_first() {
    let aws = start().await;
    let controls = aws.controls();
    controls.set_rate_limits(RateLimits::unlimited());
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    controls.set_usage(ACCOUNT, "us-east-1", P, 96.0).unwrap();
    controls
        .set_usage(ACCOUNT, "us-east-1", STANDARD, 4.0)
        .unwrap();
    let client = client(&aws, "us-east-1");
    let started = client.start_quota_utilization_report().send().await;
    let id = started.unwrap().report_id.unwrap();

    let mut rows = Vec::new();
    let mut token = None;
    loop {
        let get = client.get_quota_utilization_report().report_id(&id);
        let get = get.max_results(10).set_next_token(token);
        let page = get.send().await.unwrap();
        assert!(page.generated_at().is_some());
        rows.extend(page.quotas().to_vec());
        assert!(page.quotas().len() <= 10);
        token = page.next_token.clone();
        if token.is_none() {
            assert_eq!(page.total_count(), i32::try_from(rows.len()).ok());
            break;
        }
    }
    let used: Vec<_> = rows
        .iter()
        .map(|row| (row.quota_code().unwrap(), row.utilization()))
        .collect();
    assert_eq!(used[..2], [(STANDARD, Some(80.0)), (P, Some(50.0))]);
    assert!(used.is_sorted_by(|one, next| one.1 >= next.1), "{used:?}");
    assert_eq!(rows[1].applied_value(), Some(192.0));
}

#[tokio::test]
async fn a_page_may_be_shorter_than_a_caller_allows() {
    let aws = SimulatedAws::start(Settings {
        report_page_size: 10,
        ..Settings::plain()
    });
    let aws = aws.await.unwrap();
    let client = client(&aws, "us-east-1");
    let started = client.start_quota_utilization_report().send().await;
    let id = started.unwrap().report_id.unwrap();
    let get = client.get_quota_utilization_report().report_id(id);
    let page = get.max_results(1_000).send().await.unwrap();
    assert_eq!(page.quotas().len(), 10);
    assert!(page.next_token().is_some());
}

#[tokio::test]
async fn a_report_can_fail() {
    let aws = start().await;
    aws.controls().inject(Fault::new(FaultKind::ReportFails));
    let client = client(&aws, "us-east-1");
    let started = client.start_quota_utilization_report().send().await;
    let id = started.unwrap().report_id.unwrap();
    let get = client.get_quota_utilization_report().report_id(id).send();
    let report = get.await.unwrap();
    assert_eq!(report.status(), Some(&ReportStatus::Failed));
    assert_eq!(report.error_code(), Some("InternalFailure"));
}

#[tokio::test]
async fn a_report_is_unknown_in_another_region() {
    let aws = start().await;
    let started = client(&aws, "us-east-1").start_quota_utilization_report();
    let id = started.send().await.unwrap().report_id.unwrap();
    let elsewhere = client(&aws, "us-west-2").get_quota_utilization_report();
    let get = elsewhere.report_id(id).send();
    assert_eq!(refusal!(get), seen("NoSuchResourceException", 400));
}
