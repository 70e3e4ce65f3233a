//! Tokens of managed identities: the metadata of a virtual machine, and the identity endpoint of
//! App Service and Container Apps. Numbers in their answers are texts.

use serde_json::{Value, json};

use super::controls::{Controls, State};
use super::credentials::{IDENTITY_CLIENT_ID, IDENTITY_HEADER};
use super::errors::{self, Refusal};
use super::request::Asked;
use super::sign_in::is_resource;

/// The path that the simulated App Service puts into `IDENTITY_ENDPOINT`.
pub(super) const APP_SERVICE_PATH: &str = "/msi/token";

pub(super) fn virtual_machine(controls: &Controls, asked: &Asked) -> Result<Value, Refusal> {
    let invalid = |description: &str| errors::metadata(400, "invalid_request", description);
    if asked.header("metadata") != Some("true") {
        return Err(invalid("Required metadata header not specified"));
    }
    if asked.header("x-forwarded-for").is_some() {
        return Err(invalid("Required metadata header not specified correctly"));
    }
    token(controls, asked)
}

pub(super) fn app_service(controls: &Controls, asked: &Asked) -> Result<Value, Refusal> {
    match asked.header("x-identity-header") == Some(IDENTITY_HEADER) {
        true => token(controls, asked),
        false => Err(errors::metadata(
            401,
            "unauthorized",
            "No or wrong identity header",
        )),
    }
}

fn token(controls: &Controls, asked: &Asked) -> Result<Value, Refusal> {
    let mut state = controls.state();
    let resource = asked.parameter("resource");
    if !is_resource(&state, resource) {
        let description = format!("AADSTS500011: The resource principal {resource} was not found");
        return Err(errors::metadata(400, "invalid_resource", &description));
    }
    let identity = asked.parameter("client_id");
    if !identity.is_empty() && identity != IDENTITY_CLIENT_ID {
        return Err(errors::metadata(
            400,
            "invalid_request",
            "Identity not found",
        ));
    }
    Ok(issue(&mut state, resource))
}

fn issue(state: &mut State, resource: &str) -> Value {
    let (token, lifetime) = state.tokens.issue(());
    let now = state.now().as_second();
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires_on = now.saturating_add(seconds);
    json!({
        "access_token": token,
        "client_id": IDENTITY_CLIENT_ID,
        "expires_in": seconds.to_string(),
        "expires_on": expires_on.to_string(),
        "ext_expires_in": seconds.to_string(),
        "not_before": now.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    })
}
