//! Verifications as they are asked for and answered.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::http::extract::json::Object;
use crate::http::leases::body::LeaseBody;
use crate::http::leases::request::optional_duration;
use crate::http::offers::body::JudgementBody;
use crate::http::offers::custom_offer::{CustomOfferBody, instances, one};
use crate::http::quotas::body::{FailureBody, time};
use crate::model::duration;
use crate::oracle::Verified;

/// A launch to verify.
#[derive(Deserialize, ToSchema)]
#[schema(as = VerifyRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyRequestBody<'a> {
    /// The offer to launch.
    #[serde(borrow)]
    #[schema(value_type = CustomOfferBody<'static>)]
    pub(super) offer: Object<CustomOfferBody<'a>>,
    /// Number of instances that are launched together, from 1 to 10,000.
    #[serde(default = "one", deserialize_with = "instances")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 10_000, default = 1, example = 1)]
    pub(super) count: u32,
    /// Age beyond which a row is read now; ten seconds if absent.
    #[serde(default, deserialize_with = "age")]
    #[schema(value_type = Option<String>, example = "10s")]
    pub(super) max_age: Option<Duration>,
    /// For how long a lease is taken if the launch fits; none is taken if absent.
    #[serde(default, deserialize_with = "optional_duration")]
    #[schema(value_type = Option<String>, example = "2m")]
    pub(super) lease: Option<Duration>,
    /// How long the caller waits, if less than `server.request_timeout`.
    #[serde(default, deserialize_with = "optional_duration")]
    #[schema(value_type = Option<String>, example = "3s")]
    pub(super) timeout: Option<Duration>,
}

fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let parsed = text.as_deref().map(duration::parse);
    parsed.transpose().map_err(D::Error::custom)
}

/// A launch that was verified, as far as that was possible.
#[derive(Serialize, ToSchema)]
#[schema(as = Verified)]
pub(super) struct VerifiedBody<'a> {
    #[serde(flatten)]
    judgement: JudgementBody<'a>,
    /// Whether every call that the verdict rests on was sent within `max_age`.
    verified: bool,
    /// Why it was not; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureBody>,
    /// When the oldest call that it rests on was sent; null where nothing was read.
    #[schema(format = DateTime, example = "2026-11-27T09:30:00Z")]
    observed_at: Option<String>,
    /// The lease; absent where none was asked for, or the launch does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseBody<'a>>,
}

impl<'a> VerifiedBody<'a> {
    pub(super) fn of(verified: &'a Verified) -> Self {
        Self {
            judgement: JudgementBody::of(&verified.assessment),
            verified: verified.is_verified,
            failure: verified.failure.as_ref().map(FailureBody::of),
            observed_at: verified.observed_at.map(|at| time(at.wall)),
            lease: verified.lease.as_ref().map(LeaseBody::of),
        }
    }
}

/// Renders a verification for people.
pub(super) fn text(verified: &Verified) -> String {
    let assessment = &verified.assessment;
    let availability = assessment.decision.availability.as_str();
    let mut text = format!("{availability}: {}\n", assessment.reason());
    let observed = verified.observed_at.map(|at| time(at.wall));
    text.push_str(match verified.is_verified {
        true => "verified",
        false => "not verified",
    });
    if let Some(observed) = observed {
        text.push_str(&format!(", read at {observed}"));
    }
    if let Some(failure) = &verified.failure {
        text.push_str(&format!(": {failure}"));
    }
    text.push('\n');
    if let Some(lease) = &verified.lease {
        let backed = match lease.backed {
            true => "",
            false => ", which holds nothing",
        };
        let ends = time(lease.expires_at.wall);
        text.push_str(&format!("lease {} until {ends}{backed}\n", lease.id));
    }
    text
}
