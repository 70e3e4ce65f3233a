//! Reading usage: the utilization report, which tells the percentage in use of every quota that
//! AWS meters.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_servicequotas::operation::get_quota_utilization_report::GetQuotaUtilizationReportOutput;
use aws_sdk_servicequotas::types::{QuotaUtilizationInfo, ReportStatus};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::model::{Amount, CallContext, Failure, FailureKind, Quota, QuotaKey, Usage};

use super::client::RegionClient;
use super::row::unit_size;

/// AWS says that a report takes several seconds; the first look is early, the next ones rarer.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// The longest pause between two looks at a report.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A report that takes longer is given up: the limits are worth having without it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A page holds 1,000 rows; an account has a few thousand quotas. More pages are a loop.
const MOST_PAGES: usize = 50;

/// The rows of a finished report.
#[derive(Debug, Default)]
pub(super) struct Report {
    generated_at: Option<Timestamp>,
    rows: BTreeMap<QuotaKey, Row>,
}

#[derive(Debug)]
struct Row {
    utilization: Option<f64>,
    applied: Option<f64>,
    default: Option<f64>,
}

/// Starts a report, waits for it and reads it.
pub(super) async fn read(client: &RegionClient, context: &CallContext) -> Result<Report, Failure> {
    let id = client.start_report(context).await?;
    let mut page = finished(client, &id, context).await?;
    let mut report = Report {
        generated_at: page
            .generated_at
            .and_then(|at| Timestamp::new(at.secs(), 0).ok()),
        ..Report::default()
    };
    for _ in 0..MOST_PAGES {
        report.take(page.quotas());
        let Some(token) = page.next_token.take() else {
            break;
        };
        page = client.report(&id, Some(token.clone()), context).await?;
        if page.next_token.as_ref() == Some(&token) {
            break;
        }
    }
    Ok(report)
}

/// The first page of the report, once it is finished.
async fn finished(
    client: &RegionClient,
    id: &str,
    context: &CallContext,
) -> Result<GetQuotaUtilizationReportOutput, Failure> {
    let started = Instant::now();
    let mut pause = FIRST_LOOK;
    loop {
        sleep(pause).await;
        let page = client.report(id, None, context).await?;
        match &page.status {
            Some(ReportStatus::Completed) => return Ok(page),
            Some(ReportStatus::Failed) => {
                let why = page.error_message().unwrap_or("no reason given");
                let detail = format!("AWS could not make the utilization report: {why}");
                return Err(Failure::new(FailureKind::Unavailable, detail));
            }
            _ if started.elapsed() > PATIENCE => {
                let detail = format!("the utilization report took over {} s", PATIENCE.as_secs());
                return Err(Failure::new(FailureKind::Timeout, detail));
            }
            _ => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

impl Report {
    fn take(&mut self, rows: &[QuotaUtilizationInfo]) {
        for row in rows {
            if let (Some(service), Some(code)) = (row.service_code(), row.quota_code()) {
                let row = Row {
                    utilization: row.utilization(),
                    applied: row.applied_value(),
                    default: row.default_value(),
                };
                self.rows.insert(QuotaKey::new(service, code), row);
            }
        }
    }

    /// Adds to a quota what the report says of it. A quota that is not in the report, or is there
    /// without a utilization, keeps an unknown usage.
    pub(super) fn complete(&self, quota: &mut Quota) {
        let Some(row) = self.rows.get(&quota.key) else {
            return;
        };
        let unit_size = unit_size(quota);
        let scaled = |value: f64| Amount::new(value * unit_size);
        if let Some(default) = row.default.and_then(scaled) {
            quota.default = Some(default);
        }
        // The percentage is of the applied value that the report itself states.
        let applied = row.applied.and_then(scaled).or_else(|| quota.limit.known());
        if let (Some(percent), Some(applied)) = (row.utilization, applied)
            && let Some(amount) = Amount::new((applied.get() * percent / 100.0).round())
        {
            quota.usage = Usage::Known {
                amount,
                as_of: self.generated_at,
            };
        }
    }
}
