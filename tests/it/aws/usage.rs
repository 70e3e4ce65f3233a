//! The utilization report: late, hanging, in pages, and never in the way of the limits.

use std::time::Duration;

use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind, ReportTiming, Settings, SimulatedAws};
use tokio::time::Instant;

use super::REGION;
use crate::harness::{
    ACCOUNT, P, QUOTAS_OF_A_REGION, Setup, calls, eventually, let_time_pass, plain_aws,
};

const GET_REPORT: &str = "GetQuotaUtilizationReport";
const START_REPORT: &str = "StartQuotaUtilizationReport";

fn report_takes(takes: Duration) -> ReportTiming {
    ReportTiming {
        takes,
        ..ReportTiming::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_does_not_come_holds_no_caller_back() {
    for hangs in [Some(START_REPORT), Some(GET_REPORT), None] {
        let aws = plain_aws().await;
        match hangs {
            Some(operation) => {
                let hang = Fault::new(FaultKind::Hang).operation(operation);
                aws.controls().inject(hang);
            }
            None => {
                let hours = report_takes(Duration::from_hours(3));
                aws.controls().set_report_timing(hours);
            }
        }
        let setup = Setup::new(&aws).set("backends.0.preload", false);
        let service = setup.start().await;

        let asked = Instant::now();
        let answer = service.get(REGION).await;
        assert!(asked.elapsed() < Duration::from_secs(8), "{hangs:?}");
        assert_eq!(answer.status, 200, "{hangs:?}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["freshness"], "fresh");
        assert_eq!(
            body["quotas"].as_array().unwrap().len() as u64,
            QUOTAS_OF_A_REGION
        );
        let row = answer.quota(P);
        assert!(row["limit"].is_number() && row["usage"].is_null(), "{row}");
        let gap = &body["gaps"][0];
        assert_eq!(gap["kind"], "timeout", "{gap}");
        let detail = gap["detail"].as_str().unwrap();
        assert!(detail.starts_with("usage is unknown: "), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_report_is_read_by_the_next_read_which_comes_soon() {
    let aws = plain_aws().await;
    let takes = Duration::from_secs(20);
    aws.controls().set_report_timing(report_takes(takes));
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    assert_eq!(service.get(REGION).await.quota(P)["usage"], Value::Null);

    let_time_pass(Duration::from_secs(75)).await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.quota(P)["usage"], 0);
    assert_eq!(answer.json()["gaps"], Value::Null);
    assert_eq!(calls(&aws.controls(), START_REPORT), 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_report_that_aws_has_deleted_meanwhile_is_started_anew() {
    let aws = plain_aws().await;
    let late = report_takes(Duration::from_secs(20));
    aws.controls().set_report_timing(late);
    let setup = Setup::new(&aws).set("backends.0.refresh_every", "2h");
    let service = setup.start().await;
    service.ready().await;
    assert_eq!(service.get(REGION).await.quota(P)["usage"], Value::Null);

    // AWS keeps a report for a quarter of an hour, and the next read comes later.
    aws.controls().set_report_timing(ReportTiming::default());
    let_time_pass(Duration::from_secs(25 * 60)).await;
    let answer = service.get(REGION).await;
    assert_eq!(answer.quota(P)["usage"], 0, "{}", answer.text());
    assert_eq!(answer.json()["gaps"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn usage_comes_back_soon_after_the_report_does() {
    let aws = plain_aws().await;
    let fails = Fault::new(FaultKind::Unavailable).operation(START_REPORT);
    aws.controls().inject(fails);
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    assert_eq!(service.get(REGION).await.quota(P)["usage"], Value::Null);

    aws.controls().clear_faults();
    let healed = Instant::now();
    eventually("usage is known", async || {
        let_time_pass(Duration::from_secs(1)).await;
        service.get(REGION).await.quota(P)["usage"] == 0
    })
    .await;
    assert!(healed.elapsed() < Duration::from_secs(90));
}

/// A simulated AWS whose reports, of 33 rows, come in pages of so many.
async fn paged(rows: usize) -> SimulatedAws {
    let settings = Settings {
        report_page_size: rows,
        ..Settings::plain()
    };
    SimulatedAws::start(settings).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn all_pages_of_a_report_are_read_also_behind_an_empty_one() {
    let aws = paged(10).await;
    let empty = Fault::new(FaultKind::EmptyPage).operation(GET_REPORT);
    aws.controls().inject(empty.times(1));
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let body = service.get(REGION).await.json();
    assert_eq!(body["gaps"], Value::Null);
    for row in body["quotas"].as_array().unwrap() {
        assert_eq!(row["usage"], 0, "{row}");
    }
    assert_eq!(calls(&aws.controls(), GET_REPORT), 1 + 4);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_leads_to_itself_is_used_and_ends_the_report_with_a_gap() {
    let aws = paged(30).await;
    let get_report = |kind| Fault::new(kind).operation(GET_REPORT);
    // The first page is right, and takes this fault away from the second.
    let none = Fault::slow(Duration::ZERO).operation(GET_REPORT);
    aws.controls().inject(none.times(1));
    aws.controls().inject(get_report(FaultKind::RepeatedToken));
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let body = service.get(REGION).await.json();
    for row in body["quotas"].as_array().unwrap() {
        assert_eq!(row["usage"], 0, "{row}");
    }
    let gap = body["gaps"][0]["detail"].as_str().unwrap();
    assert!(gap.contains("may be incomplete"), "{gap}");
    assert_eq!(calls(&aws.controls(), GET_REPORT), 2);
}

#[tokio::test(start_paused = true)]
async fn a_usage_told_in_percent_decides_only_what_its_rounding_leaves_certain() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 1000.0).unwrap();
    controls.set_usage(ACCOUNT, "us-east-1", P, 503.0).unwrap();
    controls.round_utilization(Some(0));
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    // 50.3 % is told as 50: between 495 and 505 are in use.
    assert_eq!(service.get(REGION).await.quota(P)["usage"], 500.0);
    let verdict = async |cpus: u32| {
        let offer = serde_json::json!({"backend": "aws", "region": "us-east-1",
            "instance_type": "p5.odd", "cpus": cpus});
        let request = service.request(reqwest::Method::POST, "/offers");
        let body = serde_json::json!({"offers": [offer]});
        let answer = service.send(request.json(&body)).await.json();
        answer["verdicts"][0]["quota"]["verdict"].clone()
    };
    for (cpus, expected) in [
        (495, "fits"),
        (496, "unknown"),
        (505, "unknown"),
        (506, "short"),
    ] {
        assert_eq!(verdict(cpus).await, expected, "{cpus}");
    }

    // One row with a decimal tells that the report resolves tenths.
    controls.round_utilization(Some(1));
    service.post("/refresh/aws/us-east-1").await;
    assert_eq!(service.get(REGION).await.quota(P)["usage"], 503.0);
    for (cpus, expected) in [(497, "fits"), (498, "short")] {
        assert_eq!(verdict(cpus).await, expected, "{cpus}");
    }
}
