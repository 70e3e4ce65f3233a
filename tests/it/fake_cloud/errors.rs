//! The fake cloud's refusals as failures, by their codes and never by their texts.

use quota_oracle::clouds::kit::rest::Answer;
use quota_oracle::model::{Failure, FailureKind};
use serde::Deserialize;

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    code: String,
}

/// Converts a refusal into a [`Failure`]; its status decides where it has no code that is known.
pub(super) fn failure(answer: &Answer) -> Failure {
    let by_status = answer.refusal();
    let code = serde_json::from_slice::<Refusal>(&answer.body).map(|refusal| refusal.code);
    let of_kind = |kind| Failure {
        kind,
        ..by_status.clone()
    };
    match code.as_deref() {
        Ok("rate_exceeded") => of_kind(FailureKind::Throttled),
        Ok("invalid_token") => of_kind(FailureKind::Denied).with_hint("renew the token"),
        Ok("permission_denied") => {
            of_kind(FailureKind::Denied).with_hint("grant the token the role `viewer`")
        }
        _ => by_status,
    }
}
