//! Requests for leases as they are sent.

use std::time::Duration;

use axum::http::HeaderMap;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{Kind, Problem};
use crate::http::extract::json::Object;
use crate::http::offers::body::JudgementBody;
use crate::http::offers::custom_offer::{CustomOfferBody, instances, one};
use crate::model::{RequestKey, duration};
use crate::oracle::{LeaseRefusal, LeaseSettings};

/// A lease to take.
#[derive(Deserialize, ToSchema)]
#[schema(as = LeaseRequest)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct LeaseRequestBody<'a> {
    /// The offer to launch.
    #[serde(borrow)]
    #[schema(value_type = CustomOfferBody<'static>)]
    pub(super) offer: Object<CustomOfferBody<'a>>,
    /// Number of instances that are launched together, from 1 to 10,000.
    #[serde(default = "one", deserialize_with = "instances")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 10_000, default = 1, example = 1)]
    pub(super) count: u32,
    /// The time it lives unless it is renewed, committed or released; two minutes if absent.
    #[serde(default, deserialize_with = "optional_duration")]
    #[schema(value_type = Option<String>, example = "2m")]
    pub(super) ttl: Option<Duration>,
}

/// A renewal of a lease.
#[derive(Deserialize, ToSchema)]
#[schema(as = LeaseRenewal)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RenewalBody {
    /// The time it lives from now on.
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "2m")]
    pub(super) ttl: Duration,
}

/// Long enough for a launch to be asked for and answered.
const TTL: Duration = Duration::from_secs(2 * 60);

/// The longest idempotency key.
const LONGEST_KEY: usize = 255;

const KEY_HEADER: &str = "idempotency-key";

/// The time after which asking again for a lease may help: most leases live for minutes.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Returns how long a lease lives where the request does not say.
pub(in crate::http) fn default_ttl(settings: &LeaseSettings) -> Duration {
    TTL.min(settings.max_ttl)
}

/// Reads an optional duration that is longer than zero.
pub(in crate::http) fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let parsed = text.as_deref().map(duration::parse_positive);
    parsed.transpose().map_err(D::Error::custom)
}

/// Refuses a lifetime that the operator does not allow.
pub(in crate::http) fn checked_ttl(
    field: &str,
    ttl: Duration,
    settings: &LeaseSettings,
) -> Result<Duration, Problem> {
    if ttl <= settings.max_ttl {
        return Ok(ttl);
    }
    let detail = format!(
        "`{field}` is {}, and a lease lives for {} at most (`leases.max_ttl`)",
        duration::format(ttl),
        duration::format(settings.max_ttl)
    );
    Err(Problem::bad(field, detail))
}

/// Returns the key by which a request may be repeated, if it has one.
pub(in crate::http) fn request_key(
    caller: &Caller,
    headers: &HeaderMap,
    path: &str,
    body: &[u8],
) -> Result<Option<RequestKey>, Problem> {
    let mut keys = headers.get_all(KEY_HEADER).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let text = key.to_str().ok().filter(|text| {
        let is_bounded = (1..=LONGEST_KEY).contains(&text.len());
        is_bounded && keys.next().is_none()
    });
    let Some(key) = text else {
        let detail =
            format!("`Idempotency-Key` is one text of 1 to {LONGEST_KEY} printable characters");
        return Err(Problem::bad("Idempotency-Key", detail));
    };
    let mut digest = Sha256::new();
    digest.update(path);
    digest.update([0]);
    digest.update(body);
    Ok(Some(RequestKey {
        caller: caller.name().to_owned(),
        key: key.to_owned(),
        digest: hex::encode(digest.finalize()),
    }))
}

/// Returns the problem of what only the store could tell that replicas share.
pub(super) fn store_away(detail: &str) -> Problem {
    Problem::new(Kind::StoreAway, detail).retry_after(RETRY_AFTER)
}

/// Returns the problem of a lease that was not granted.
pub(in crate::http) fn refusal(refusal: LeaseRefusal) -> Problem {
    match refusal {
        LeaseRefusal::UnknownBackend(error) => error.into(),
        LeaseRefusal::Refused(assessment) => {
            let problem = Problem::new(Kind::NoRoom, assessment.reason());
            let verdict = serde_json::to_value(JudgementBody::of(&assessment));
            problem.verdict(verdict.expect("wire structs have text keys only"))
        }
        LeaseRefusal::TooMany => {
            let detail = "as many leases live as may (`leases.max_live`)";
            Problem::new(Kind::TooManyLeases, detail).retry_after(RETRY_AFTER)
        }
        LeaseRefusal::StoreAway => store_away(
            "the store that replicas share is away, and leases are refused meanwhile \
             (`leases.store_away`)",
        ),
        LeaseRefusal::KeyReused => Problem::new(
            Kind::KeyReused,
            "the `Idempotency-Key` was used for another request; choose a new one",
        ),
    }
}
