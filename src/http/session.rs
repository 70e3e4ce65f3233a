//! `/session`: the login of a browser, by a cookie that opens `GET` only.
//!
//! The cookie names a session of this process and says nothing of the token, so that it is of no
//! use to whoever sees it beyond reading until it ends.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::auth::sessions::{COOKIE, LASTS, session_of};
use super::error::{Problem, ProblemBody};
use super::extract::json;
use super::extract::query::{NoQuery, StrictQuery};
use super::settings::Scope;
use super::state::Shared;

/// The token of somebody who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Login)]
struct LoginBody {
    /// A token with the scope `read`.
    #[schema(example = "JZ4-example-token")]
    token: String,
}

/// The caller as the service knows them.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionBody<'a> {
    /// The name of the token; null where no tokens are configured.
    #[schema(example = "alice")]
    name: Option<&'a str>,
    /// The scope of the token; what changes something needs the token itself.
    #[schema(example = "read")]
    scope: String,
    /// Whether a session's cookie was shown, and not the token.
    by_cookie: bool,
}

/// Begins a session: answers the cookie that a browser shows from then on.
///
/// The cookie is for reading only, lasts twelve hours at most, and ends with this process or with
/// its token.
#[utoipa::path(post, path = "/session", operation_id = "begin_session", tag = "operation",
    request_body(content = LoginBody),
    responses(
        (status = 204, description = "Begun; where no tokens are configured, none is needed"),
        (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody, description = "The token is not known"),
        (status = 403, body = ProblemBody, description = "It may not read, or another site asks")))]
pub(super) async fn begin(
    State(shared): State<Shared>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|refusal| Problem::from_plain(refusal.status(), refusal.body_text()))?;
    let LoginBody { token } = json::read(&headers, &body)?;
    let Some((token, hash)) = shared.0.tokens.of_text(token.trim())? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Caller::Bearer(token.clone()).require(Scope::Read)?;
    let id = shared.0.tokens.sessions().begin(token, hash);
    let cookie = cookie(&id, LASTS.as_secs(), &headers);
    Ok((StatusCode::NO_CONTENT, [cookie, NEVER_KEPT]).into_response())
}

/// Ends the session of the cookie.
#[utoipa::path(delete, path = "/session", operation_id = "end_session", tag = "operation",
    responses((status = 204, description = "Ended, if there was one")))]
pub(super) async fn end(
    State(shared): State<Shared>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
) -> Response {
    if let Some(id) = session_of(&headers) {
        shared.0.tokens.sessions().end(&id);
    }
    let cookie = cookie("", 0, &headers);
    (StatusCode::NO_CONTENT, [cookie, NEVER_KEPT]).into_response()
}

/// The caller as the service knows them.
#[utoipa::path(get, path = "/session", operation_id = "get_session", tag = "operation",
    responses(
        (status = 200, body = SessionBody<'static>),
        (status = 401, body = ProblemBody, description = "Neither a token nor a session")))]
pub(super) async fn show(
    State(shared): State<Shared>,
    _: StrictQuery<NoQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = shared.0.tokens.caller(&headers, &Method::GET)?;
    caller.require(Scope::Read)?;
    let body = match &caller {
        Caller::Anyone => SessionBody {
            name: None,
            scope: Scope::Admin.to_string(),
            by_cookie: false,
        },
        Caller::Bearer(token) => SessionBody {
            name: Some(&token.name),
            scope: token
                .scopes
                .iter()
                .max()
                .map(Scope::to_string)
                .unwrap_or_default(),
            by_cookie: !headers.contains_key(header::AUTHORIZATION),
        },
    };
    Ok(([NEVER_KEPT], Json(body)).into_response())
}

const NEVER_KEPT: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Returns the header that sets the cookie. Without a path it counts from the address of this route
/// on, also where a proxy serves it below a path.
fn cookie(value: &str, lasts: u64, headers: &HeaderMap) -> (HeaderName, HeaderValue) {
    // A browser names its page in every request that changes something.
    let origin = headers.get(header::ORIGIN);
    let is_secure = origin.is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}");
    let value = HeaderValue::try_from(text).expect("ids are plain text");
    (header::SET_COOKIE, value)
}
