//! Reading usage: the utilization report, which states the percentage in use of every quota that
//! AWS meters.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_servicequotas::operation::get_quota_utilization_report::GetQuotaUtilizationReportOutput;
use aws_sdk_servicequotas::types::{QuotaUtilizationInfo, ReportStatus};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use crate::clouds::kit::Sent;
use crate::clouds::kit::pages::{Next, Pages, incomplete};
use crate::clouds::kit::sent::oldest;
use crate::model::{Amount, Failure, FailureKind, Moment, Quota, QuotaKey, Usage, UsageRange};
use crate::source::CallContext;

use super::client::RegionClient;
use super::quotas::unit_size;
use super::wanted::WantedQuotas;

/// AWS says that a report takes several seconds; the first look is early, the next ones rarer.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// The longest pause between two looks at a report.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A report that takes longer is given up, and another one started. AWS deletes reports after 15
/// minutes, and one that takes minutes instead of seconds will hardly come.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// A page holds 1,000 rows; an account has a few thousand quotas. More pages are a loop.
const MOST_PAGES: usize = 50;

/// A report that was started so lately may serve several verifications of a region: half of the age
/// that a verification accepts unless told otherwise, so that it is still good when it comes.
const SHARED_FOR: Duration = Duration::from_secs(5);

/// The wanted rows of a finished report; a whole one has thousands, and every region keeps its last.
#[derive(Debug)]
pub(super) struct Report {
    started: Started,
    generated_at: Option<Timestamp>,
    rows: BTreeMap<QuotaKey, Row>,
    /// The number of decimals of the finest utilization among all rows, wanted or not: what the
    /// report resolves.
    decimals: usize,
    /// The failure that left part of it out.
    pub(super) gap: Option<Failure>,
}

/// The reports of a region.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// A report that was started and not yet read: AWS goes on making it when a read no longer
    /// waits, so the next read takes it up instead of starting another.
    unread: Option<Started>,
    /// The last one that was read.
    last: Option<Arc<Report>>,
}

#[derive(Clone, Debug)]
struct Started {
    id: String,
    at: Instant,
    /// When the call that started it was sent: usage is at least as new as this.
    sent_at: Option<Moment>,
}

#[derive(Debug)]
struct Row {
    utilization: Option<f64>,
    applied: Option<f64>,
    default: Option<f64>,
}

/// Returns since when a report may have been started to be shared by whoever does not say.
pub(super) fn shared_since() -> Instant {
    let now = Instant::now();
    now.checked_sub(SHARED_FOR).unwrap_or(now)
}

/// Returns the last report if it was started after `since`, else reads one.
pub(super) async fn read_or_share(
    client: &RegionClient,
    reports: &Reports,
    wanted: &WantedQuotas,
    since: Instant,
    context: &CallContext,
) -> Result<Arc<Report>, Failure> {
    let last = reports.0.lock().last.clone();
    match last.filter(|report| report.started.at >= since) {
        Some(report) => Ok(report),
        None => read_since(client, reports, wanted, Some(since), context).await,
    }
}

/// Starts a report, or takes up the one that is unread, waits for it and reads it.
pub(super) async fn read(
    client: &RegionClient,
    reports: &Reports,
    wanted: &WantedQuotas,
    context: &CallContext,
) -> Result<Arc<Report>, Failure> {
    read_since(client, reports, wanted, None, context).await
}

/// The same; one that was started before `since` is not taken up.
async fn read_since(
    client: &RegionClient,
    reports: &Reports,
    wanted: &WantedQuotas,
    since: Option<Instant>,
    context: &CallContext,
) -> Result<Arc<Report>, Failure> {
    // AWS has deleted an old one by now, or never makes it.
    let unread = reports.0.lock().unread.clone();
    let is_good = |report: &Started| {
        report.at.elapsed() < PATIENCE && since.is_none_or(|since| report.at >= since)
    };
    let started = match unread.filter(is_good) {
        Some(started) => started,
        None => {
            let Sent { value, at } = client.start_report(context).await?;
            Started {
                id: value,
                at: Instant::now(),
                sent_at: at,
            }
        }
    };
    reports.0.lock().unread = Some(started.clone());
    let report = follow(client, started, wanted, context).await.map(Arc::new);
    // A read that is given up while it waits does not come here.
    let mut known = reports.0.lock();
    known.unread = None;
    if let Ok(report) = &report {
        known.last = Some(Arc::clone(report));
    }
    report
}

async fn follow(
    client: &RegionClient,
    started: Started,
    wanted: &WantedQuotas,
    context: &CallContext,
) -> Result<Report, Failure> {
    let mut page = finished(client, &started, context).await?;
    let mut report = Report {
        generated_at: page
            .generated_at
            .and_then(|at| Timestamp::new(at.secs(), 0).ok()),
        started,
        rows: BTreeMap::new(),
        decimals: 0,
        gap: None,
    };
    let mut pages = Pages::at_most(MOST_PAGES);
    // The rows of each page are new ones only if they were not on another page.
    let mut seen = BTreeSet::new();
    loop {
        let before = seen.len();
        report.take(page.quotas(), wanted, &mut seen);
        match pages.after(page.next_token.take(), seen.len() > before) {
            Next::Page(token) => {
                page = client
                    .report(&report.started.id, Some(token), context)
                    .await?;
            }
            Next::End => return Ok(report),
            Next::Loop(why) => {
                report.gap = Some(incomplete("the utilization report", why));
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

impl Report {
    /// Takes the wanted rows of a page, and marks all of them as seen.
    fn take(
        &mut self,
        rows: &[QuotaUtilizationInfo],
        wanted: &WantedQuotas,
        seen: &mut BTreeSet<u64>,
    ) {
        for row in rows {
            let (Some(service), Some(code)) = (row.service_code(), row.quota_code()) else {
                continue;
            };
            seen.insert(digest(service, code));
            self.decimals = self.decimals.max(row.utilization().map_or(0, decimals));
            let key = QuotaKey::new(service, code);
            if wanted.includes(&key) {
                let row = Row {
                    utilization: row.utilization(),
                    applied: row.applied_value(),
                    default: row.default_value(),
                };
                self.rows.insert(key, row);
            }
        }
    }

    /// Adds to a quota the usage that the report states, and the start of the report to what it
    /// rests on. A quota that is not in the report, or is there
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
                range: self.range(applied, percent, amount),
            };
            quota.observed_at = oldest(quota.observed_at, self.started.sent_at);
        }
    }

    /// Returns the whole units between which the usage is, given what the report resolves; nothing
    /// if that leaves only one.
    fn range(&self, applied: Amount, percent: f64, amount: Amount) -> Option<UsageRange> {
        let error = 0.5 / 10f64.powi(i32::try_from(self.decimals).unwrap_or(i32::MAX));
        let at = |percent: f64| applied.get() * percent / 100.0;
        let least = Amount::new(at(percent - error).ceil().max(0.0))?;
        let most = Amount::new(at(percent + error).floor().max(0.0))?;
        let range = UsageRange {
            least: least.min(amount),
            most: most.max(amount),
        };
        (range.least != range.most).then_some(range)
    }
}

/// Returns the number of decimals that a percentage is told with.
fn decimals(percent: f64) -> usize {
    // The shortest text that reads as the same number, never in scientific notation.
    let text = percent.to_string();
    text.split_once('.')
        .map_or(0, |(_, decimals)| decimals.len())
}

/// Returns a number that stands for a quota while its report is read, a tenth of its key's size.
fn digest(service: &str, code: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (service, code).hash(&mut hasher);
    hasher.finish()
}
