//! Settings of a simulated AWS: its accounts, their quotas, and how it behaves.

use std::time::Duration;

use super::buckets::{Lockout, RateLimits};
use super::fixtures;

/// Everything that is fixed at the start; much of it can be changed later through the controls.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The accounts, the first of which is the default of the control surface.
    pub accounts: Vec<Account>,
    /// The rate limits of each operation.
    pub rate_limits: RateLimits,
    /// Whether heavy throttling is followed by a lock-out.
    pub lockout: Option<Lockout>,
    /// How long an answer takes.
    pub latency: Latency,
    /// The life of a utilization report.
    pub reports: ReportTiming,
    /// The page size where a request names none; AWS does not document its own.
    pub page_size: usize,
    /// The most rows of a page of a report, even where a request allows more.
    pub report_page_size: usize,
    /// The decimals that utilization is rounded to; `None` tells it in full.
    pub utilization_decimals: Option<u8>,
    /// Whether signatures are checked, instead of being accepted as they come.
    pub verify_signatures: bool,
}

impl Settings {
    /// For tests: the same two accounts with every quota at its default and nothing in use,
    /// answering at once.
    pub fn plain() -> Self {
        let mut accounts = fixtures::accounts();
        for account in &mut accounts {
            account.quotas.clear();
        }
        Self {
            accounts,
            latency: Latency::default(),
            reports: ReportTiming {
                takes: Duration::ZERO,
                ..ReportTiming::default()
            },
            ..Self::default()
        }
    }
}

impl Default for Settings {
    /// For the demo: varied limits and usage, and the latency of a neighbouring region.
    fn default() -> Self {
        Self {
            accounts: fixtures::accounts(),
            rate_limits: RateLimits::documented(),
            lockout: None,
            latency: Latency {
                fixed: Duration::from_millis(40),
                jitter: Duration::from_millis(40),
            },
            reports: ReportTiming::default(),
            page_size: 100,
            report_page_size: 1_000,
            utilization_decimals: None,
            verify_signatures: false,
        }
    }
}

/// One AWS account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The twelve digits.
    pub id: String,
    /// The access key id of its only user.
    pub access_key_id: String,
    /// The secret of that key.
    pub secret_access_key: String,
    /// The roles that any known caller may assume.
    pub roles: Vec<Role>,
    /// The enabled regions; any other answers like a wrong credential, as on AWS.
    pub regions: Vec<String>,
    /// Quotas that start with another value than the default, or with something in use.
    pub quotas: Vec<QuotaSeed>,
}

impl Account {
    /// The ARN of its only user.
    pub fn user_arn(&self) -> String {
        format!("arn:aws:iam::{}:user/quota-reader", self.id)
    }

    /// The ARN of one of its roles.
    pub fn role_arn(&self, role: &str) -> String {
        format!("arn:aws:iam::{}:role/{role}", self.id)
    }
}

/// A role of an account.
#[derive(Clone, Debug)]
pub struct Role {
    /// The name, without a path.
    pub name: String,
    /// The external id that its trust policy demands.
    pub external_id: Option<String>,
}

/// The first value and usage of a quota in a region.
#[derive(Clone, Debug)]
pub struct QuotaSeed {
    /// The region.
    pub region: String,
    /// The quota code, which is unique over all services.
    pub code: String,
    /// The applied value.
    pub limit: f64,
    /// The usage.
    pub usage: f64,
}

/// How long an answer takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// Always.
    pub fixed: Duration,
    /// At random up to this much more.
    pub jitter: Duration,
}

impl Latency {
    pub(super) fn draw(self) -> Duration {
        self.fixed + self.jitter.mul_f64(rand::random::<f64>())
    }
}

/// The life of a utilization report.
#[derive(Clone, Copy, Debug)]
pub struct ReportTiming {
    /// From the start to completion; half of it pending, half in progress.
    pub takes: Duration,
    /// From the start to deletion.
    pub kept_for: Duration,
    /// How long a start is answered with the earlier report; the API reference mentions such
    /// reuse without saying when, so it is off by default.
    pub reused_for: Duration,
}

impl Default for ReportTiming {
    fn default() -> Self {
        Self {
            // "Several seconds" in the API reference; a short one keeps the demo lively.
            takes: Duration::from_secs(1),
            // "Reports are automatically deleted after 15 minutes", GetQuotaUtilizationReport.
            kept_for: Duration::from_mins(15),
            reused_for: Duration::ZERO,
        }
    }
}
