//! Faults on purpose: which, where, and how many times.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::call_log::{CallKey, Filter};

/// The ways to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// TooManyRequestsException, whatever the bucket holds.
    Throttle,
    /// The same, asking for a wait in `x-amz-retry-after`.
    ThrottleFor {
        /// How long.
        milliseconds: u64,
    },
    /// ServiceException, HTTP 500.
    ServiceFailure,
    /// HTTP 503.
    Unavailable,
    /// AccessDeniedException with the caller and the action.
    AccessDenied,
    /// ExpiredTokenException.
    ExpiredCredentials,
    /// InvalidSignatureException in the words for a caller whose clock is wrong.
    WrongClock,
    /// The answer of a region that is not enabled, which is that of a wrong key too.
    RegionNotEnabled,
    /// The request is read and never answered.
    Hang,
    /// The connection is reset without an answer.
    Reset,
    /// HTTP 200 with JSON that breaks off.
    BrokenJson,
    /// HTTP 200 with the page of some proxy.
    Html,
    /// HTTP 200 with `{}`.
    EmptyObject,
    /// The right answer, this much later.
    Slow {
        /// How much.
        milliseconds: u64,
    },
    /// A page without items that still points to what follows, which AWS may send.
    EmptyPage,
    /// A page whose token leads to itself, as some services were seen to send.
    RepeatedToken,
    /// A utilization report that is started now ends as FAILED.
    ReportFails,
}

impl FaultKind {
    /// The word in the log of calls where no error code tells it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::BrokenJson => "broken_json",
            Self::Html => "html",
            Self::EmptyObject => "empty_object",
            _ => "ok",
        }
    }

    fn applies_to(self, operation: &str) -> bool {
        match self {
            Self::EmptyPage | Self::RepeatedToken => {
                operation.starts_with("List") || operation == "GetQuotaUtilizationReport"
            }
            Self::ReportFails => operation == "StartQuotaUtilizationReport",
            _ => true,
        }
    }
}

/// A fault, the calls that meet it, and how many of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The fault.
    pub kind: FaultKind,
    /// Only for this account.
    #[serde(default)]
    pub account: Option<String>,
    /// Only in this region.
    #[serde(default)]
    pub region: Option<String>,
    /// Only for this operation, in AWS's own spelling.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only for the next so many calls.
    #[serde(default)]
    pub times: Option<u64>,
}

impl Fault {
    /// For every call, until it is removed.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            account: None,
            region: None,
            operation: None,
            times: None,
        }
    }

    /// Answers that come this much later.
    pub fn slow(by: Duration) -> Self {
        let milliseconds = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        Self::new(FaultKind::Slow { milliseconds })
    }

    /// Only for this account.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Only in this region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Only for this operation, in AWS's own spelling.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only for the next so many calls that it fits.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn meets(&self, key: &CallKey) -> bool {
        self.kind.applies_to(key.operation)
            && Filter::new(
                self.account.clone(),
                self.region.clone(),
                self.operation.clone(),
            )
            .matches(key)
    }
}

/// The faults in force, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        if fault.times != Some(0) {
            self.0.push(fault);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn all(&self) -> &[Fault] {
        &self.0
    }

    /// The oldest fault that a call meets, which is used up by one.
    pub(super) fn meet(&mut self, key: &CallKey) -> Option<FaultKind> {
        let index = self.0.iter().position(|fault| fault.meets(key))?;
        let fault = &mut self.0[index];
        let kind = fault.kind;
        fault.times = fault.times.map(|times| times.saturating_sub(1));
        if fault.times == Some(0) {
            self.0.remove(index);
        }
        Some(kind)
    }
}
