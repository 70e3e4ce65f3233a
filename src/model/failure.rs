//! Why a cloud could not be read, classified where the remote error is understood.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use strum::{IntoStaticStr, VariantArray};

use super::Moment;

/// A failed call or read: what kind, in whose words, and what to do about it.
///
/// The detail is shown to callers and written to logs, so it never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind, which decides everything that is done about it.
    pub kind: FailureKind,
    /// The sentence of whoever refused.
    pub detail: String,
    /// How long the cloud, or our circuit breaker, asks to wait before the next try.
    /// Not stored: it has passed by the time that anybody restarts.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// A hint at what a person can do about it, such as the permission to grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of this kind, in these words.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            hint: None,
        }
    }

    /// The same failure with what a person can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the same failure without its region's name and time to wait, since regions that fail alike often
    /// differ in nothing else.
    #[must_use]
    pub fn without_name(&self, region: &str) -> Self {
        let shared = |text: &str| match region.is_empty() {
            true => text.to_owned(),
            false => text.replace(region, "<region>"),
        };
        Self {
            detail: shared(&self.detail),
            hint: self.hint.as_deref().map(shared),
            retry_after: None,
            kind: self.kind,
        }
    }

    /// The same failure with the time to wait before the next try.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.detail)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The kinds of failure that are treated differently.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FailureKind {
    /// The credentials are wrong or lack a permission.
    Denied,
    /// The region is not enabled for the account.
    NotEnabled,
    /// The cloud does not know what was asked for.
    NotFound,
    /// The cloud asked for fewer calls, or our circuit breaker holds them back.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The cloud could not be reached, or failed on its side.
    Unavailable,
    /// The answer could not be understood. A stored kind that this version does not know reads as
    /// this one: its detail still tells people what it was.
    #[serde(other)]
    Malformed,
}

impl FailureKind {
    /// The word of the public contract, also used in metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the same call may succeed when it is simply made again.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Timeout | Self::Unavailable)
    }
}

/// A failure of a read that is remembered beside the last good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRecord {
    /// The failure.
    pub failure: Failure,
    /// When.
    pub at: Moment,
    /// How many reads have failed in a row, this one included.
    pub in_a_row: u32,
    /// Before this moment the cloud is not asked again.
    pub next_try: Moment,
}
