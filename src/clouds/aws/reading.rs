//! Joining the limits of a region with the usage that its report states.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Failure, FailureKind, Incomplete, Reading, Region, Snapshot};
use crate::source::{CallContext, Wanted};

use super::fetch::Limits;
use super::quotas;
use super::usage::Report;

/// How long limits that are in wait for the report. At the default rate limits take over four
/// seconds, in which AWS makes most reports, and callers wait for ten in all; a later report is
/// taken up by the next read.
const REPORT_GRACE: Duration = Duration::from_secs(3);

/// How long before the deadline limits that wait for the report are handed over without it.
const HAND_OVER: Duration = Duration::from_millis(250);

/// Joins the limits of a region with the usage that its report states.
pub(super) fn reading(
    region: &Region,
    limits: Limits,
    report: Option<Result<Arc<Report>, Failure>>,
) -> Reading {
    let Limits { mut rows, mut gaps } = limits;
    let is_transient = |failure: &Failure| failure.kind.is_transient();
    let incomplete = Incomplete {
        limits: gaps.iter().any(is_transient),
        usage: matches!(&report, Some(Err(failure)) if is_transient(failure)),
        ..Incomplete::default()
    };
    match report {
        Some(Ok(report)) => {
            rows.values_mut().for_each(|quota| report.complete(quota));
            gaps.extend(report.gap.clone());
        }
        Some(Err(failure)) => gaps.push(usage_gap(failure)),
        None => {}
    }
    gaps.dedup();
    Reading {
        account: rows.values().find_map(quotas::account),
        regions: BTreeMap::from([(
            region.clone(),
            Arc::new(Snapshot::new(rows.into_values().collect())),
        )]),
        gaps,
        incomplete,
        ..Reading::default()
    }
}

/// Marks a reading as one for which no usage was asked.
pub(super) fn without_usage(mut reading: Reading) -> Reading {
    reading.incomplete.usage = true;
    reading
}

/// Returns until when limits that are in at `now` wait for the report.
///
/// A verification waits as long as its caller does, since it was asked for the usage.
pub(super) fn report_due(wanted: &Wanted, now: Instant, context: &CallContext) -> Instant {
    let deadline = Instant::from_std(context.deadline);
    let last = deadline.checked_sub(HAND_OVER).unwrap_or(now);
    match wanted {
        Wanted::All => last.min(now + REPORT_GRACE),
        Wanted::Only(_) => last,
    }
}

pub(super) fn late() -> Failure {
    let detail = "the utilization report was not there in time after the limits";
    Failure::new(FailureKind::Timeout, detail)
}

fn usage_gap(failure: Failure) -> Failure {
    let hint = match failure.kind {
        FailureKind::Denied => Some(
            "grant servicequotas:StartQuotaUtilizationReport and \
             servicequotas:GetQuotaUtilizationReport, or set usage = \"off\""
                .to_owned(),
        ),
        _ => failure.hint,
    };
    Failure {
        detail: format!("usage is unknown: {}", failure.detail),
        hint,
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::source::{Priority, Urgency};

    #[test]
    fn limits_wait_for_the_report_a_little_and_never_past_the_deadline() {
        let now = Instant::now();
        let due = |wanted: Wanted, left: Duration| {
            let context = CallContext {
                urgency: Urgency::new(Priority::Request),
                deadline: (now + left).into_std(),
            };
            report_due(&wanted, now, &context)
        };
        assert_eq!(
            due(Wanted::All, Duration::from_secs(50)),
            now + REPORT_GRACE
        );
        let last_second = Duration::from_secs(1);
        assert_eq!(due(Wanted::All, last_second), now + last_second - HAND_OVER);
        assert!(due(Wanted::All, Duration::ZERO) <= now);
        let minute = Duration::from_secs(60);
        let only = Wanted::Only(BTreeSet::new());
        assert_eq!(due(only, minute), now + minute - HAND_OVER);
    }
}
