//! The token endpoint of the authority: the client credentials grant, by secret or assertion.

use serde_json::{Value, json};

use super::controls::{Controls, State};
use super::credentials::{CLIENT_ID, TENANT_ID};
use super::errors::Refusal;
use super::request::Asked;
use super::sign_in_errors::SignInError;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The management endpoints of all clouds, for which tokens are asked.
const RESOURCES: &[&str] = &[
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
];

pub(super) fn token(controls: &Controls, asked: &Asked) -> Result<Value, Refusal> {
    let mut state = controls.state();
    if let Err(error) = verify(&state, asked) {
        return Err(Box::new(error.response(state.now())));
    }
    let (token, lifetime) = state.tokens.issue(());
    let seconds = lifetime.as_secs();
    Ok(json!({
        "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
        "access_token": token,
    }))
}

fn verify(state: &State, asked: &Asked) -> Result<(), SignInError> {
    if asked.owner != TENANT_ID {
        return Err(SignInError::UnknownTenant);
    }
    if asked.field("grant_type") != "client_credentials" {
        return Err(SignInError::UnsupportedGrant);
    }
    let scope = asked.field("scope").strip_suffix("/.default");
    if !scope.is_some_and(|resource| is_resource(state, resource)) {
        return Err(SignInError::UnknownResource);
    }
    if asked.field("client_id") != CLIENT_ID {
        return Err(SignInError::UnknownApplication);
    }
    let secret = asked.field("client_secret");
    if !secret.is_empty() {
        return state.credentials.verify_secret(secret);
    }
    if asked.field("client_assertion_type") != ASSERTION_TYPE {
        return Err(SignInError::MissingCredential);
    }
    let endpoint = format!("{}/{TENANT_ID}/oauth2/v2.0/token", state.url);
    let assertion = asked.field("client_assertion");
    state.credentials.verify_assertion(assertion, &endpoint)
}

/// Whether tokens are issued for this resource: Resource Manager by its real address, whatever the
/// address under which it is simulated, or by that.
pub(super) fn is_resource(state: &State, resource: &str) -> bool {
    let resource = resource.trim_end_matches('/');
    resource == state.url || RESOURCES.contains(&resource)
}
