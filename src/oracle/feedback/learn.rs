//! From a report on a launch to what is learnt of it.

use std::sync::Arc;
use std::time::Duration;

use crate::feedback::{Class, LaunchError, Level, Meaning, NamedQuota, classify};
use crate::model::{
    Amount, AskedLaunch, BackendName, LaunchOutcome, Launches, LearnedNumbers, Lease, Market,
    Moment, QuotaKey, QuotaMarket, Region, Unit,
};
use crate::oracle::backend::BackendState;
use crate::oracle::flights::WantedRows;
use crate::oracle::quotas::QuotaError;
use crate::oracle::state::{Oracle, OracleState};
use crate::oracle::unit::UnitState;
use crate::source::{Priority, QuotaRef};
use crate::telemetry::Cause;

use super::hold::hold;
use super::memory::{Lesson, Remembered, Subject, What};
use super::outcomes::{Compared, Contradiction};
use super::report::{LaunchReport, Learnt};
use super::understood::{Launched, Understood};
use super::unrecognised::UnrecognisedError;

impl Oracle {
    /// Tells the meaning of an error on a cloud, and learns nothing.
    pub fn explain(&self, cloud: &str, error: &LaunchError<'_>) -> Meaning {
        let launch_quota = self.0.settings.launch_quota;
        let named = |instance_type: &str, market| {
            let (code, name) = launch_quota(cloud, instance_type, market)?;
            Some(NamedQuota::coded(code, name))
        };
        classify(cloud, error, &named)
    }

    /// Tells the meaning of an error of a backend, by the names of its own quotas, and learns
    /// nothing.
    pub fn explain_for(
        &self,
        backend: &str,
        report: &LaunchReport<'_>,
    ) -> Result<Meaning, QuotaError> {
        let (oracle, backend) = (&*self.0, self.0.backend(backend)?);
        let launched = Launched::of(oracle, backend, report);
        Ok(Understood::new(oracle, backend, report, launched.as_ref()).meaning)
    }

    /// Takes up how a launch ended.
    pub async fn learn(&self, report: &LaunchReport<'_>) -> Result<Learnt, QuotaError> {
        let oracle = &*self.0;
        let backend = oracle.backend(report.backend)?;
        let name = &backend.backend.name;
        // A launch is not in its own way, so its lease is settled first.
        let lease = match report.lease {
            Some(lease) => self.settle(lease, name, report).await,
            None => None,
        };
        let launched = Launched::of(oracle, backend, report);
        let understood = match report.outcome {
            LaunchOutcome::Launched => None,
            LaunchOutcome::Failed => {
                let launched = launched.as_ref();
                Some(Understood::new(oracle, backend, report, launched))
            }
        };
        let meaning = understood.as_ref().map(|understood| &understood.meaning);
        if let Some(launched) = &launched {
            backend.contradictions.compare(
                &oracle.metrics,
                name,
                Compared {
                    view: &launched.view,
                    instance_type: Arc::clone(&launched.instance_type),
                    market: launched.market,
                    demand: &launched.demand,
                    count: report.count,
                    was_backed: lease.map(|lease| lease.backed),
                    outcome: report.outcome,
                    meaning,
                },
            );
        }
        let class = meaning.map_or("launched", |meaning| meaning.class.as_str());
        oracle.metrics.feedback(name, class);
        let Some(understood) = understood else {
            if let Some(launched) = &launched {
                forget(launched, report);
            }
            self.share_launch(report);
            return Ok(Learnt {
                meaning: None,
                until: None,
            });
        };
        if !understood.meaning.is_recognised {
            let (kind, now) = (&backend.backend.kind, oracle.clock.now());
            let kept = &oracle.unrecognised;
            kept.note(kind, name.as_str(), &report.error, now);
        }
        let until = understood.remember(oracle, backend, report, None);
        self.share_launch(report);
        Ok(Learnt {
            until,
            meaning: Some(understood.meaning),
        })
    }

    /// Takes up how a launch ended that another replica was told of at that moment.
    pub(in crate::oracle) fn relearn(&self, report: &LaunchReport<'_>, at: Moment) {
        let oracle = &*self.0;
        let Ok(backend) = oracle.backend(report.backend) else {
            return;
        };
        let launched = Launched::of(oracle, backend, report);
        match report.outcome {
            LaunchOutcome::Launched => {
                if let Some(launched) = &launched {
                    forget(launched, report);
                }
            }
            LaunchOutcome::Failed => {
                let understood = Understood::new(oracle, backend, report, launched.as_ref());
                understood.remember(oracle, backend, report, Some(at));
            }
        }
    }

    /// Commits or releases the lease of a launch that has ended; nothing if the backend has none of
    /// that name any more.
    async fn settle(
        &self,
        lease: &str,
        backend: &BackendName,
        report: &LaunchReport<'_>,
    ) -> Option<Lease> {
        let is_own = |name: &BackendName| name == backend;
        match report.outcome {
            LaunchOutcome::Launched => self.commit_lease(lease, is_own).await.ok()?,
            LaunchOutcome::Failed => self.release_lease(lease, is_own).await.ok()?,
        }
    }

    /// Returns the errors that no table has a line for, the newest first.
    pub fn unrecognised(&self) -> Vec<UnrecognisedError> {
        self.0.unrecognised.all()
    }

    /// Returns the newest launches of a backend that ended otherwise than their verdict had it.
    pub fn contradictions(&self, backend: &str) -> Result<Vec<Contradiction>, QuotaError> {
        Ok(self.0.backend(backend)?.contradictions.all())
    }

    /// Forgets all that a backend's launches have taught.
    pub fn forget_feedback(&self, backend: &str) -> Result<(), QuotaError> {
        self.forget_lessons(backend)?;
        self.share_forgetting(backend);
        Ok(())
    }

    pub(in crate::oracle) fn forget_lessons(&self, backend: &str) -> Result<(), QuotaError> {
        for unit in self.0.backend(backend)?.units() {
            unit.launches.clear();
            unit.note_change();
        }
        Ok(())
    }
}

/// A quota is read for failed launches at most this often; its cloud limits calls too.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Understood {
    /// Remembers what the failure teaches; tells when that ends. What another replica was told
    /// `at` some moment is neither logged nor read here again.
    fn remember(
        &self,
        oracle: &OracleState,
        backend: &BackendState,
        report: &LaunchReport<'_>,
        at: Option<Moment>,
    ) -> Option<Moment> {
        let meaning = &self.meaning;
        let reach = &meaning.reach;
        let hold = hold(&backend.backend.kind, meaning)?;
        let is_global = reach.region.as_deref() == Some("global");
        let stated = reach.region.as_deref().filter(|_| !is_global);
        let here = stated.or(report.error.region)?;
        let market = match reach.market {
            Some(QuotaMarket::OnDemand) => Some(Market::OnDemand),
            Some(QuotaMarket::Spot) => Some(Market::Spot),
            _ => None,
        };
        let instance_type = reach.instance_type.as_deref();
        let instance_type = instance_type.or(report.error.instance_type);
        let place = (
            here,
            instance_type.unwrap_or_default(),
            market.unwrap_or(report.error.market),
        );
        let launched = Launched::new(oracle, backend, report, place)?;
        let unit = launched.unit;
        let now = at.unwrap_or_else(|| unit.now());
        let region = (!is_global).then(|| launched.region.clone());
        let mut lesson = Lesson {
            hold,
            launches: None,
            numbers: None,
            reason: reason(meaning, report, here).into(),
        };
        let of_type = || instance_type.map(|_| Arc::clone(&launched.instance_type));
        let what = match (meaning.class, reach.level, &self.quota) {
            (Class::Quota, Level::Quota | Level::Resource, Some(quota)) => {
                lesson.numbers = self.numbers(&launched, quota, now);
                let mut draws = launched.demand.draws.iter();
                let draw = draws.find(|draw| draw.quota == *quota);
                match draw.and_then(|draw| draw.amount) {
                    // A disk or an address that is too many says nothing of the machine.
                    _ if reach.level == Level::Resource => {}
                    Some(each) => {
                        lesson.launches = Some(Launches::Drawing {
                            quota: quota.clone(),
                            from: each * report.count.max(1),
                        });
                    }
                    None => lesson.launches = of_type().map(Launches::OfType),
                }
                What::Quota(quota.clone())
            }
            (_, Level::Resource, _) => return None,
            // No one knows which quota, so only launches like this one are passed over.
            _ => {
                let name = of_type()?;
                lesson.launches = Some(Launches::OfType(Arc::clone(&name)));
                What::Type(name)
            }
        };
        let subject = Subject {
            region,
            zone: reach.zone.as_deref().map(Arc::from),
            market,
            what,
        };
        let entry = unit.entry();
        let known = entry.last_good.as_ref().map(|good| &*good.reading);
        let remembered = unit.launches.note(subject, lesson, known, now);
        unit.note_change();
        if at.is_some() {
            return Some(remembered.until);
        }
        if let Some(quota) = self
            .quota
            .as_ref()
            .filter(|_| meaning.class == Class::Quota)
        {
            read(unit, &launched.region, quota, now);
        }
        log(report, meaning, here, remembered);
        Some(remembered.until)
    }

    /// Returns the numbers that the error states of a quota, in its own unit.
    fn numbers(
        &self,
        launched: &Launched<'_>,
        quota: &QuotaKey,
        at: Moment,
    ) -> Option<LearnedNumbers> {
        let meaning = &self.meaning;
        let size = meaning.unit_size?;
        let rows = launched.rows();
        let row = rows.quotas().iter().find(|row| row.key == *quota)?;
        // The size is in bytes, where it is not one.
        if size != 1.0 && row.unit != Unit::Byte {
            return None;
        }
        let in_unit = |amount: Option<Amount>| Amount::new(amount?.get() * size);
        let (limit, usage) = (in_unit(meaning.limit), in_unit(meaning.usage));
        (limit.is_some() || usage.is_some()).then(|| LearnedNumbers {
            quota: quota.clone(),
            limit,
            usage,
            at,
        })
    }
}

/// Reads a quota that a launch has met, unless that is being done.
fn read(unit: &Arc<UnitState>, region: &Region, quota: &QuotaKey, now: Moment) {
    let entry = unit.entry();
    if entry.backs_off(now) {
        return;
    }
    if entry.taken_at().is_none() {
        unit.read(Cause::Request, Priority::Request);
    } else if unit.launches.may_read(quota, READ_AGAIN_AFTER, now) {
        let row = QuotaRef {
            region: region.clone(),
            key: quota.clone(),
        };
        let wanted = WantedRows::whole([row].into(), now);
        unit.read_rows(wanted, Cause::Request, Priority::Request);
    }
}

/// Forgets what a launch that succeeded has disproved.
fn forget(launched: &Launched<'_>, report: &LaunchReport<'_>) {
    let launch = AskedLaunch {
        instance_type: &launched.instance_type,
        market: launched.market,
        demand: &launched.demand,
        count: report.count,
    };
    let unit = launched.unit;
    if unit.launches.succeeded(&launched.region, launch) {
        unit.note_change();
        tracing::info!(
            by = report.by,
            backend = report.backend,
            region = %launched.region,
            instance_type = &*launched.instance_type,
            "a launch succeeded: earlier failures of its kind are forgotten"
        );
    }
}

fn reason(meaning: &Meaning, report: &LaunchReport<'_>, region: &str) -> String {
    let reach = &meaning.reach;
    let place = reach.zone.as_deref().unwrap_or(region);
    let what = reach
        .instance_type
        .as_deref()
        .or(report.error.instance_type);
    let what = what.unwrap_or("an instance");
    match (meaning.class, &meaning.quota) {
        (Class::Quota, Some(quota)) => {
            format!(
                "a launch of {what} in {place} has just met the limit of {}",
                quota.name
            )
        }
        (Class::Quota, None) => format!("a launch of {what} in {place} has just met a quota"),
        (Class::Configuration, _) => format!("the cloud has just said that {place} has no {what}"),
        _ => format!("the cloud has just had no capacity for {what} in {place}"),
    }
}

/// Logs a lesson with the name of who gave it; its repetitions only for those who look for them.
fn log(report: &LaunchReport<'_>, meaning: &Meaning, region: &str, remembered: Remembered) {
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                by = report.by,
                backend = report.backend,
                region,
                zone = meaning.reach.zone,
                instance_type = report.error.instance_type,
                class = meaning.class.as_str(),
                quota = meaning.quota.as_ref().map(|quota| &*quota.name),
                limit = meaning.limit.map(|limit| limit.get()),
                times = remembered.times,
                until = %remembered.until.wall,
                "a launch failed"
            )
        };
    }
    match remembered.times {
        1 => log!(info),
        _ => log!(debug),
    }
}
