//! STS as far as credentials need it: who am I, and may I be someone else.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::error::ApiError;
use super::response::escape_xml;
use super::state::{Caller, State};

/// `DurationSeconds` where none is asked for, and its bounds: AssumeRole.
const DEFAULT_SESSION_SECONDS: u64 = 3_600;
const SESSION_SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;

/// GetCallerIdentity, which needs no permission.
pub(super) fn get_caller_identity(caller: &Caller) -> String {
    let identity = &caller.identity;
    format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
        escape_xml(&identity.arn),
        escape_xml(&identity.user_id),
        identity.account
    )
}

/// AssumeRole, for any known caller that gives the role's external id.
pub(super) fn assume_role(
    state: &mut State,
    caller: &Caller,
    form: &BTreeMap<String, String>,
    now: Instant,
) -> Result<String, ApiError> {
    let role_arn = required(form, "RoleArn")?;
    let session_name = required(form, "RoleSessionName")?;
    let lasts = session_length(form)?;
    let denied = || ApiError::assume_role_denied(&caller.identity.arn, role_arn);
    let (account, role) = state
        .accounts
        .list
        .iter()
        .flat_map(|account| account.roles.iter().map(move |role| (account, role)))
        .find(|(account, role)| account.role_arn(&role.name) == role_arn)
        .ok_or_else(denied)?;
    if role.external_id.is_some() && role.external_id.as_ref() != form.get("ExternalId") {
        return Err(denied());
    }
    let (account, role) = (account.id.clone(), role.name.clone());
    let keys = state
        .identities
        .open_session(&account, &role, session_name, now, lasts);
    let expires = Timestamp::from_second(state.epoch_seconds(now + lasts))
        .expect("a moment of this century fits a timestamp");
    Ok(format!(
        "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{expires}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>",
        keys.access_key_id,
        keys.secret,
        keys.token,
        escape_xml(&keys.identity.user_id),
        escape_xml(&keys.identity.arn),
    ))
}

fn required<'a>(form: &'a BTreeMap<String, String>, field: &str) -> Result<&'a str, ApiError> {
    form.get(field).map(String::as_str).ok_or_else(|| {
        ApiError::validation(format!(
            "1 validation error detected: Value null at '{field}' failed to satisfy \
             constraint: Member must not be null"
        ))
    })
}

fn session_length(form: &BTreeMap<String, String>) -> Result<Duration, ApiError> {
    let Some(text) = form.get("DurationSeconds") else {
        return Ok(Duration::from_secs(DEFAULT_SESSION_SECONDS));
    };
    text.parse()
        .ok()
        .filter(|seconds| SESSION_SECONDS.contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            ApiError::validation(format!(
                "1 validation error detected: Value '{text}' at 'durationSeconds' failed to \
                 satisfy constraint: Member must have value between 900 and 43200"
            ))
        })
}
