//! Answers as they are read: the parts of the public contract that tables show.
//!
//! Words are texts, so that one that only a newer service says is shown as it is.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::model::{Amount, GIB, duration};

#[derive(Debug, Deserialize)]
pub(super) struct Failure {
    pub(super) kind: String,
    pub(super) detail: String,
    #[serde(default)]
    pub(super) advice: Option<String>,
    #[serde(default)]
    pub(super) at: Option<Timestamp>,
    #[serde(default)]
    pub(super) retry_after_seconds: Option<u64>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)?;
        match &self.advice {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

impl Failure {
    /// Says when the cloud is asked again, if that is still to come.
    pub(super) fn next_try(&self, now: Timestamp) -> Option<String> {
        let wait = i64::try_from(self.retry_after_seconds?).ok()?;
        let due = self.at?.checked_add(SignedDuration::from_secs(wait)).ok()?;
        let left = due.duration_since(now).as_secs();
        (left > 0).then(|| format!("next try in {}", lasting(left)))
    }
}

/// The freshness of a region.
#[derive(Debug, Deserialize)]
pub(super) struct RegionState {
    pub(super) region: String,
    #[serde(default)]
    pub(super) freshness: Option<String>,
    #[serde(default)]
    pub(super) taken_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) last_failure: Option<Failure>,
}

/// One limit of one account.
#[derive(Debug, Deserialize)]
pub(super) struct Quota {
    pub(super) code: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) unit: Option<String>,
    #[serde(default)]
    pub(super) market: Option<String>,
    #[serde(default)]
    pub(super) container: Option<Container>,
    #[serde(default)]
    pub(super) limit: Option<f64>,
    #[serde(default)]
    pub(super) limit_kind: Option<String>,
    #[serde(default)]
    pub(super) limit_source: Option<String>,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) usage: Option<f64>,
    #[serde(default)]
    pub(super) leased: f64,
    #[serde(default)]
    pub(super) available: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Container {
    pub(super) kind: String,
    pub(super) id: String,
}

/// An assessment of a launch.
#[derive(Debug, Deserialize)]
pub(super) struct Judgement {
    pub(super) availability: String,
    #[serde(default)]
    pub(super) launchable: Option<u64>,
    pub(super) quota: Verdict,
    #[serde(default)]
    restriction: Option<Reason>,
    #[serde(default)]
    unavailable: Option<Reason>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Verdict {
    #[serde(default)]
    pub(super) basis: Option<String>,
    #[serde(default)]
    pub(super) freshness: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    pub(super) binding: Option<Binding>,
    #[serde(default)]
    pub(super) increase_url: Option<String>,
    #[serde(default)]
    pub(super) shadow_availability: Option<String>,
}

/// The quota that decided.
#[derive(Debug, Deserialize)]
pub(super) struct Binding {
    #[serde(default)]
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    reason: String,
}

impl Judgement {
    /// Returns why the launch is assessed so: the verdict's reason, and what keeps launches away
    /// besides.
    pub(super) fn reason(&self) -> String {
        let besides = self.restriction.iter().chain(&self.unavailable);
        let reasons = besides.map(|known| &*known.reason);
        let reasons: Vec<_> = std::iter::once(&*self.quota.reason)
            .chain(reasons)
            .collect();
        reasons.join("; ")
    }

    /// The availability, and what it would be without `shadow`.
    pub(super) fn availability(&self) -> String {
        match &self.quota.shadow_availability {
            Some(shadow) => format!("{} ({shadow})", self.availability),
            None => self.availability.clone(),
        }
    }

    /// How many such launches fit.
    pub(super) fn launchable(&self) -> String {
        match (self.launchable, self.quota.basis.as_deref()) {
            (Some(count), Some("limit")) if count > 0 => format!("<={count}"),
            (Some(count), _) => count.to_string(),
            (None, _) => "?".to_owned(),
        }
    }
}

/// The GPUs of an instance.
#[derive(Debug, Deserialize)]
pub(super) struct Gpu {
    pub(super) name: String,
    pub(super) count: u32,
    #[serde(default)]
    pub(super) memory_gb: Option<f64>,
}

/// An amount of a quota as people read it.
pub(super) fn amount(amount: Option<f64>, unit: Option<&str>) -> String {
    match (amount, unit) {
        (None, _) => "?".to_owned(),
        (Some(bytes), Some("byte")) => format!("{:.0}", bytes / GIB),
        (Some(amount), _) => Amount::new(amount).map_or("?".to_owned(), |it| it.to_string()),
    }
}

/// How long ago a moment was.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    format!("{} ago", lasting(seconds))
}

fn lasting(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    duration::format(std::time::Duration::from_secs(seconds))
}
