//! The scope that a group of routes asks of its callers.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::auth::KnownCaller;
use crate::http::error::Problem;
use crate::http::settings::Scope;
use crate::http::state::Shared;

/// Lets a caller through whose token has the scope, and tells the handler who it is.
pub(in crate::http) async fn require(
    State((shared, scope)): State<(Shared, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let tokens = &shared.0.tokens;
    let caller = tokens.caller(request.headers(), request.method())?;
    caller.require(scope)?;
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(KnownCaller);
    Ok(response)
}
