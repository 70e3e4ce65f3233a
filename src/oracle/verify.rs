//! The last check before a launch: only the rows that it draws from are read, if they are older than
//! the caller accepts, and a lease is taken in the same step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::model::{
    Demand, Failure, FailureKind, Lease, Moment, Outcome, Quota, QuotaIndex, QuotaKey, RequestKey,
    Snapshot, UnknownReason, Usage, judge,
};
use crate::source::{Need, Priority, QuotaRef};
use crate::telemetry::Cause;

use super::flights::WantedRows;
use super::leases::{LeaseRefusal, take_unbacked};
use super::offers::{Assessment, CustomOffer, Launch};
use super::state::Oracle;
use super::view::RegionView;

/// A launch to verify.
#[derive(Clone, Debug)]
pub struct VerifyQuestion<'a> {
    /// The offer to launch.
    pub offer: CustomOffer<'a>,
    /// How many instances.
    pub count: u32,
    /// Age beyond which a row is read now.
    pub max_age: Duration,
    /// For how long a lease is taken if it fits, if one is wanted.
    pub lease: Option<Duration>,
    /// The key by which a repeated request gets the same lease.
    pub request: Option<RequestKey>,
}

/// A launch that was verified, as far as that was possible.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The verdict.
    pub assessment: Assessment,
    /// Whether every call that it rests on was sent within the age that the caller accepts.
    pub is_verified: bool,
    /// Why it was not.
    pub failure: Option<Failure>,
    /// When the oldest of these calls was sent.
    pub observed_at: Option<Moment>,
    /// The lease, if one was wanted and granted.
    pub lease: Option<Lease>,
}

/// A read may have been under way before the question, and another may wait for its turn.
const MOST_READS: usize = 3;

impl Oracle {
    /// Verifies a launch of a backend that the caller sees, by the deadline at the latest.
    pub async fn verify(
        &self,
        question: VerifyQuestion<'_>,
        sees: impl Fn(&str) -> bool,
        deadline: Instant,
    ) -> Result<Verified, LeaseRefusal> {
        let oracle = &*self.0;
        let VerifyQuestion {
            offer,
            count,
            max_age,
            lease,
            request,
        } = question;
        let backend = oracle.backends.get(offer.backend);
        let Some(backend) = backend.filter(|_| sees(offer.backend)) else {
            let assessment = Assessment::of_unknown_backend(offer.backend);
            return Ok(unverified(assessment, None));
        };
        let launch = match Launch::new(oracle, backend, &offer, count) {
            Ok(launch) => launch,
            Err(assessment) => {
                let name = &backend.backend.name;
                let lease = match lease {
                    Some(ttl) => {
                        Some(take_unbacked(oracle, name, &offer, count, ttl, request).await?)
                    }
                    None => None,
                };
                return Ok(unverified(*assessment, lease));
            }
        };
        let asked = launch.unit.now();
        launch.unit.mark_requested(asked);
        let read = launch.make_young(max_age, asked, deadline).await;
        let (assessed, lease) = launch.judge_and_take(lease, request).await?;
        launch.count(&assessed);

        let view = &assessed.view;
        let left = launch.rows_to_verify(view, &assessed.demand, max_age, asked);
        let is_there = |quota: &QuotaRef| {
            let mut rows = assessed.rows.quotas().iter();
            rows.any(|row| row.key == quota.key)
        };
        // What the cloud was asked for and does not have is known as well.
        let is_verified = match &read {
            Ok(()) => !left.iter().any(is_there),
            Err(_) => left.is_empty(),
        };
        let moments = assessed.rows.quotas().iter();
        let moments = moments.filter_map(|row| view.observed_at(row));
        let is_mapped = !assessed.demand.draws.is_empty();
        Ok(Verified {
            is_verified: is_verified && is_mapped,
            failure: match is_mapped {
                true => read.err().filter(|_| !is_verified),
                false => Some(unmapped(assessed.assessment.reason())),
            },
            observed_at: moments.min_by_key(|moment| moment.since_start),
            assessment: assessed.assessment,
            lease,
        })
    }
}

impl Launch<'_> {
    /// Reads what the launch draws from unless it is young enough, until the verdict cannot change.
    async fn make_young(
        &self,
        max_age: Duration,
        asked: Moment,
        deadline: Instant,
    ) -> Result<(), Failure> {
        for _ in 0..MOST_READS {
            let view = self.view();
            let demand = self.demand(&view);
            let rows = self.rows_to_verify(&view, &demand, max_age, asked);
            if rows.is_empty() {
                return Ok(());
            }
            if let Some(record) = view.last_failure() {
                let left = record.next_try.until(self.unit.now());
                if !left.is_zero() {
                    return Err(record.failure.clone().retry_after(left));
                }
            }
            let since = asked.minus(max_age);
            let need = self.need(&demand, &rows);
            let wanted = WantedRows::for_launch(rows, need, since);
            let flight = self.unit.read_rows(wanted, Cause::Verify, Priority::Verify);
            let is_late_enough = !flight.started.is_before(since);
            match timeout_at(deadline, flight.outcome()).await {
                Err(_) => return Err(not_in_time()),
                Ok(Err(failure)) => return Err(failure),
                // What it did not bring, it would not bring again.
                Ok(Ok(())) if is_late_enough => {
                    let view = self.view();
                    let rows = self.rows_to_verify(&view, &self.demand(&view), max_age, asked);
                    let known = view.rows_or_names();
                    let mut known = known.quotas().iter();
                    if !known.any(|row| rows.iter().any(|quota| quota.key == row.key)) {
                        return Ok(());
                    }
                }
                Ok(Ok(())) => {}
            }
        }
        Err(not_in_time())
    }

    /// Returns the rows that have to be read for a verdict of this age: none where what is young
    /// enough already leaves no room.
    pub(super) fn rows_to_verify(
        &self,
        view: &RegionView,
        demand: &Demand,
        max_age: Duration,
        asked: Moment,
    ) -> BTreeSet<QuotaRef> {
        let unit = self.unit;
        let keys = demand.draws.iter().map(|draw| draw.quota.clone());
        let old = unit.rows_older_than(&self.region, keys, max_age, asked);
        if old.is_empty() {
            return old;
        }
        let is_limit_young = |quota: &QuotaRef| {
            let read_at = unit.limits_alone.read_at(quota);
            read_at.is_some_and(|at| at.age(asked) <= max_age)
        };
        let old_row = |key: &QuotaKey| old.iter().find(|quota| quota.key == *key);
        let is_drawn = |row: &&Quota| demand.draws.iter().any(|draw| draw.quota == row.key);
        let all = view.rows_or_names();
        let drawn = all.quotas().iter().filter(is_drawn);
        // Of an old row nothing counts but a limit that was read alone since.
        let trusted = drawn.map(|row| match old_row(&row.key) {
            Some(_) => Quota {
                usage: Usage::Unknown,
                ..row.clone()
            },
            None => row.clone(),
        });
        let trusted = Arc::new(Snapshot::new(trusted.collect()));
        let leased = view.leased().clone();
        let index = QuotaIndex::with_reasons(trusted, leased, UnknownReason::Unread, |row| {
            let is_unknown = old_row(&row.key).is_some_and(|quota| !is_limit_young(quota));
            is_unknown.then_some(UnknownReason::Unread)
        });
        match judge(demand, self.count, &index).outcome {
            Outcome::Short(_) => BTreeSet::new(),
            Outcome::Fits | Outcome::Unknown(_) => old,
        }
    }

    /// Returns how much the launch takes of these rows, by which a source may know that a limit is
    /// too small whatever is in use.
    pub(super) fn need(&self, demand: &Demand, rows: &BTreeSet<QuotaRef>) -> Need {
        let amounts = rows.iter().filter_map(|quota| {
            let mut draws = demand.draws.iter();
            let draw = draws.find(|draw| draw.quota == quota.key)?;
            let amount = (draw.amount? * self.count).ceil();
            Some((quota.clone(), amount))
        });
        amounts.collect()
    }
}

fn unverified(assessment: Assessment, lease: Option<Lease>) -> Verified {
    Verified {
        failure: Some(unmapped(assessment.reason())),
        assessment,
        is_verified: false,
        observed_at: None,
        lease,
    }
}

fn unmapped(reason: &str) -> Failure {
    Failure::new(FailureKind::NotFound, reason)
}

/// How soon a caller may ask again about rows whose read takes longer than its deadline.
const READ_GOES_ON: Duration = Duration::from_secs(1);

fn not_in_time() -> Failure {
    let detail = "the cloud did not answer in time; the read goes on";
    Failure::new(FailureKind::Timeout, detail).retry_after(READ_GOES_ON)
}
