//! Utilization reports, from the start through their pages to their deletion.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::catalogue;
use super::error::ApiError;
use super::faults::FaultKind;
use super::paging::PageRequest;
use super::response::new_request_id;
use super::state::{Caller, State};

/// The most rows that a request may ask for: GetQuotaUtilizationReport.
const MOST_PER_PAGE: i64 = 1_000;

/// A report of one account and region; its rows are those of the moment it was started.
#[derive(Debug)]
pub(super) struct Report {
    id: String,
    account: String,
    region: String,
    started: Instant,
    fails: bool,
    rows: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameters {
    report_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

/// StartQuotaUtilizationReport.
pub(super) fn start(
    state: &mut State,
    caller: &Caller,
    now: Instant,
    fault: Option<FaultKind>,
) -> Value {
    forget_old(state, now);
    let reused_for = state.report_timing.reused_for;
    let recent = state
        .reports
        .iter()
        .find(|report| report.belongs_to(caller) && now - report.started < reused_for);
    if let Some(recent) = recent {
        return json!({
            "ReportId": recent.id,
            "Status": recent.status(state, now),
            "Message": "A recent report is being reused.",
        });
    }
    let report = Report {
        id: new_request_id(),
        account: caller.identity.account.clone(),
        region: caller.region.clone(),
        started: now,
        fails: fault == Some(FaultKind::ReportFails),
        rows: rows(state, caller),
    };
    let started = json!({ "ReportId": report.id, "Status": "PENDING" });
    state.reports.push(report);
    started
}

/// GetQuotaUtilizationReport.
pub(super) fn get(
    state: &mut State,
    caller: &Caller,
    body: &[u8],
    now: Instant,
    fault: Option<FaultKind>,
) -> Result<Value, ApiError> {
    forget_old(state, now);
    let parameters: GetParameters =
        serde_json::from_slice(body).map_err(|_| ApiError::unreadable_body())?;
    let id = parameters.report_id.unwrap_or_default();
    let report = state
        .reports
        .iter()
        .find(|report| report.id == id && report.belongs_to(caller))
        .ok_or_else(ApiError::no_such_report)?;
    let mut page = PageRequest::parse(
        id,
        parameters.next_token.as_deref(),
        parameters.max_results,
        state.report_page_size,
        MOST_PER_PAGE,
    )?;
    page.length = page.length.min(state.report_page_size);
    let status = report.status(state, now);
    let mut shown = json!({ "ReportId": report.id, "Status": status });
    match status {
        "FAILED" => {
            shown["ErrorCode"] = "InternalFailure".into();
            shown["ErrorMessage"] = "The report could not be generated.".into();
        }
        "COMPLETED" => {
            shown["GeneratedAt"] = state.epoch_seconds(report.started).into();
            report.show_page(&page, fault, &mut shown);
        }
        _ => {}
    }
    Ok(shown)
}

impl Report {
    fn belongs_to(&self, caller: &Caller) -> bool {
        self.account == caller.identity.account && self.region == caller.region
    }

    fn status(&self, state: &State, now: Instant) -> &'static str {
        let takes = state.report_timing.takes;
        let age: Duration = now - self.started;
        if age * 2 < takes {
            "PENDING"
        } else if age < takes {
            "IN_PROGRESS"
        } else if self.fails {
            "FAILED"
        } else {
            "COMPLETED"
        }
    }

    fn show_page(&self, page: &PageRequest, fault: Option<FaultKind>, shown: &mut Value) {
        let start = page.after.as_deref().map_or(0, |after| {
            after
                .parse()
                .expect("the token's check holds, so it holds a number that we wrote")
        });
        let end = self.rows.len().min(start + page.length);
        shown["TotalCount"] = self.rows.len().into();
        let end = match fault {
            Some(FaultKind::EmptyPage) => start,
            _ => end,
        };
        shown["Quotas"] = self.rows[start..end].into();
        let next = match fault {
            Some(FaultKind::RepeatedToken) => Some(start),
            _ => (end < self.rows.len()).then_some(end),
        };
        if let Some(next) = next {
            shown["NextToken"] = page.token(&next.to_string()).into();
        }
    }
}

fn forget_old(state: &mut State, now: Instant) {
    let kept_for = state.report_timing.kept_for;
    state
        .reports
        .retain(|report| now - report.started < kept_for);
}

/// A percentage as the report tells it.
fn rounded(utilization: f64, decimals: Option<u8>) -> f64 {
    match decimals {
        Some(decimals) => {
            let scale = 10f64.powi(decimals.into());
            (utilization * scale).round() / scale
        }
        None => utilization,
    }
}

/// One row for each metered quota with an applied value, the most used first.
fn rows(state: &State, caller: &Caller) -> Vec<Value> {
    let mut rows: Vec<(f64, Value)> = catalogue::all()
        .iter()
        .filter(|quota| quota.metered)
        .filter_map(|quota| {
            let found = state
                .accounts
                .quota(&caller.identity.account, &caller.region, quota);
            let applied = found.applied?;
            let utilization = if applied > 0.0 {
                found.usage / applied * 100.0
            } else {
                0.0
            };
            let utilization = rounded(utilization, state.utilization_decimals);
            let row = json!({
                "QuotaCode": quota.code,
                "ServiceCode": quota.service,
                "QuotaName": quota.name,
                "Namespace": "AWS/Usage",
                "Utilization": utilization,
                "DefaultValue": quota.default,
                "AppliedValue": applied,
                "ServiceName": quota.service_name(),
                "Adjustable": quota.adjustable,
            });
            Some((utilization, row))
        })
        .collect();
    // A real report has thousands of rows, some of which show all the decimals that it resolves.
    let balancers = rounded(100.0 / 3.0, state.utilization_decimals);
    let row = json!({
        "QuotaCode": "L-53DA6B97",
        "ServiceCode": "elasticloadbalancing",
        "QuotaName": "Application Load Balancers per Region",
        "Namespace": "AWS/Usage",
        "Utilization": balancers,
        "DefaultValue": 50.0,
        "AppliedValue": 150.0,
        "ServiceName": "Elastic Load Balancing (ELB)",
        "Adjustable": true,
    });
    rows.push((balancers, row));
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{ReportTiming, Settings};

    #[test]
    fn half_of_a_report_s_time_is_pending_and_half_in_progress() {
        let started = Instant::now();
        let state = State::new(Settings {
            reports: ReportTiming {
                takes: Duration::from_secs(4),
                ..ReportTiming::default()
            },
            ..Settings::plain()
        });
        let report = Report {
            id: "1".to_owned(),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            started,
            fails: false,
            rows: Vec::new(),
        };
        let after = |seconds| report.status(&state, started + Duration::from_secs(seconds));
        assert_eq!([after(0), after(1)], ["PENDING", "PENDING"]);
        assert_eq!([after(2), after(3)], ["IN_PROGRESS", "IN_PROGRESS"]);
        assert_eq!(after(4), "COMPLETED");
    }
}
