//! How fast a cloud may be called: the keys that are given, over the cloud's own.

use std::num::NonZeroU32;

use serde::Deserialize;

use crate::upstream::RateLimit;

use super::{KeyPath, Problem};

/// The `rate_limit` of a `[[backends]]` table; an absent key is the cloud's own.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimitKeys {
    per_second: Option<f64>,
    burst: Option<NonZeroU32>,
    concurrency: Option<NonZeroU32>,
}

impl RateLimitKeys {
    /// The limit that these keys make of the cloud's own.
    pub(super) fn over(self, cloud: RateLimit, at: &KeyPath) -> Result<RateLimit, Problem> {
        let per_second = self.per_second.unwrap_or(cloud.per_second);
        if !(per_second.is_finite() && per_second > 0.0) {
            let claim = format!("must be a number above 0, not `{per_second}`");
            return Err(Problem::value(&at.key("per_second"), claim));
        }
        Ok(RateLimit {
            per_second,
            burst: self.burst.unwrap_or(cloud.burst),
            concurrency: self.concurrency.unwrap_or(cloud.concurrency),
        })
    }
}
