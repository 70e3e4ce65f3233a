//! Reading usage: the utilization report, which tells the percentage in use of every quota that
//! AWS meters.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_servicequotas::operation::get_quota_utilization_report::GetQuotaUtilizationReportOutput;
use aws_sdk_servicequotas::types::{QuotaUtilizationInfo, ReportStatus};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};

use crate::model::{Amount, Failure, FailureKind, Quota, QuotaKey, Usage};
use crate::source::CallContext;

use super::client::RegionClient;
use super::pages::{Next, Pages, incomplete};
use super::quotas::unit_size;

/// AWS says that a report takes several seconds; the first look is early, the next ones rarer.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// The longest pause between two looks at a report.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A report that takes longer is given up, and another one started. AWS deletes reports after 15
/// minutes, and one that takes minutes instead of seconds will hardly come.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// A page holds 1,000 rows; an account has a few thousand quotas. More pages are a loop.
const MOST_PAGES: usize = 50;

/// The rows of a finished report.
#[derive(Debug, Default)]
pub(super) struct Report {
    generated_at: Option<Timestamp>,
    rows: BTreeMap<QuotaKey, Row>,
    /// What is missing of it.
    pub(super) gap: Option<Failure>,
}

/// A report that was started and that nobody has read yet: AWS goes on making it when a read no
/// longer waits, so the next read takes it up instead of starting another.
#[derive(Debug, Default)]
pub(super) struct Unread(Mutex<Option<Started>>);

#[derive(Clone, Debug)]
struct Started {
    id: String,
    at: Instant,
}

#[derive(Debug)]
struct Row {
    utilization: Option<f64>,
    applied: Option<f64>,
    default: Option<f64>,
}

/// Starts a report, or takes up the one that is unread, waits for it and reads it.
pub(super) async fn read(
    client: &RegionClient,
    unread: &Unread,
    context: &CallContext,
) -> Result<Report, Failure> {
    // AWS has deleted an old one by now, or never makes it.
    let unread_yet = unread.get().filter(|report| report.at.elapsed() < PATIENCE);
    let started = match unread_yet {
        Some(started) => started,
        None => Started {
            id: client.start_report(context).await?,
            at: Instant::now(),
        },
    };
    unread.set(Some(started.clone()));
    let report = follow(client, &started, context).await;
    // A read that is given up while it waits does not come here.
    unread.set(None);
    report
}

async fn follow(
    client: &RegionClient,
    started: &Started,
    context: &CallContext,
) -> Result<Report, Failure> {
    let mut page = finished(client, started, context).await?;
    let mut report = Report {
        generated_at: page
            .generated_at
            .and_then(|at| Timestamp::new(at.secs(), 0).ok()),
        ..Report::default()
    };
    let mut pages = Pages::at_most(MOST_PAGES);
    loop {
        let before = report.rows.len();
        report.take(page.quotas());
        match pages.after(page.next_token.take(), report.rows.len() > before) {
            Next::Page(token) => page = client.report(&started.id, Some(token), context).await?,
            Next::End => return Ok(report),
            Next::Loop => {
                report.gap = Some(incomplete("the utilization report"));
                return Ok(report);
            }
        }
    }
}

/// The first page of the report, once it is finished.
async fn finished(
    client: &RegionClient,
    started: &Started,
    context: &CallContext,
) -> Result<GetQuotaUtilizationReportOutput, Failure> {
    let mut pause = FIRST_LOOK;
    sleep_until(started.at + FIRST_LOOK).await;
    loop {
        let page = client.report(&started.id, None, context).await?;
        match &page.status {
            Some(ReportStatus::Completed) => return Ok(page),
            Some(ReportStatus::Failed) => {
                let why = page.error_message().unwrap_or("no reason given");
                let detail = format!("AWS could not make the utilization report: {why}");
                return Err(Failure::new(FailureKind::Unavailable, detail));
            }
            _ if started.at.elapsed() > PATIENCE => {
                let minutes = PATIENCE.as_secs() / 60;
                let detail = format!("the utilization report took over {minutes} minutes");
                return Err(Failure::new(FailureKind::Timeout, detail));
            }
            _ => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                sleep(pause).await;
            }
        }
    }
}

impl Unread {
    fn get(&self) -> Option<Started> {
        self.lock().clone()
    }

    fn set(&self, started: Option<Started>) {
        *self.lock() = started;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Started>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
