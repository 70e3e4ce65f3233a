//! The token service, and the metadata server of a virtual machine.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::controls::{Controls, Method};
use super::errors::{self, Refusal};
use super::gate::{Call, admit};
use super::tokens::Tokens;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(super) async fn exchange(
    State(controls): State<Controls>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Json<Value>, Refusal> {
    admit(&controls, Call::new(Method::ExchangeToken, "", &headers)).await?;
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let mut state = controls.state();
    let is_user = match field("grant_type") {
        JWT_BEARER => {
            let verified = state.tokens.verify(field("assertion"));
            verified.map_err(errors::invalid_grant)?;
            false
        }
        "refresh_token" => {
            let (id, secret) = (field("client_id"), field("client_secret"));
            if !Tokens::verify_refresh(id, secret, field("refresh_token")) {
                return Err(errors::invalid_grant("Bad Request"));
            }
            true
        }
        _ => {
            let body = json!({"error": "unsupported_grant_type",
                              "error_description": "Invalid grant_type"});
            return Err(Refusal::plain((StatusCode::BAD_REQUEST, Json(body))));
        }
    };
    Ok(Json(token(&mut state.tokens, is_user)))
}

pub(super) async fn metadata(State(controls): State<Controls>, headers: HeaderMap) -> Response {
    if let Err(refusal) = admit(&controls, Call::new(Method::MetadataToken, "", &headers)).await {
        return refusal.into_response();
    }
    let flavor = [("metadata-flavor", "Google")];
    if headers
        .get("metadata-flavor")
        .is_none_or(|got| got != "Google")
    {
        let sentence = "Missing Metadata-Flavor:Google header.";
        return (StatusCode::FORBIDDEN, flavor, sentence).into_response();
    }
    let token = token(&mut controls.state().tokens, false);
    (flavor, Json(token)).into_response()
}

fn token(tokens: &mut Tokens, is_user: bool) -> Value {
    let (token, lifetime) = tokens.issued.issue(is_user);
    json!({"access_token": token, "expires_in": lifetime.as_secs(), "token_type": "Bearer"})
}
