//! Checks that every call passes before it is answered: faults, the bearer token, the project, and
//! the minute's window.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode, header};

use super::controls::{Controls, Fault, Method};
use super::errors::{self, Refusal, Service};
use super::windows::Group;

/// A call at the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) project: &'a str,
    /// The region or quota that it is about, if it is about one.
    pub(super) name: &'a str,
    pub(super) page_token: &'a str,
    pub(super) headers: &'a HeaderMap,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, project: &'a str, headers: &'a HeaderMap) -> Self {
        Self {
            method,
            project,
            name: "",
            page_token: "",
            headers,
        }
    }

    pub(super) fn about(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// The call for the page that the query names.
    pub(super) fn page(self, query: &'a BTreeMap<String, String>) -> Self {
        let page_token = query.get("pageToken").map(String::as_str);
        Self {
            page_token: page_token.unwrap_or_default(),
            ..self
        }
    }
}

/// Admits the call, or fails it as the cloud would.
pub(super) async fn admit(controls: &Controls, call: Call<'_>) -> Result<(), Refusal> {
    let Call {
        method,
        project,
        name,
        page_token,
        headers,
    } = call;
    let service = Service::of(method).unwrap_or(Service::Compute);
    let (_under_way, fault) = controls.begin(method, name, !page_token.is_empty());
    let number = controls.state().project.number.clone();
    let group = Group::of(method);
    let throttled = |limit| match group {
        Some(group) => errors::throttled(service, group, limit, &number),
        None => Refusal::plain(StatusCode::TOO_MANY_REQUESTS),
    };
    match fault {
        None => {}
        Some(Fault::Throttled) => {
            let mut state = controls.state();
            state.traffic.count_throttled();
            let limit = group.map_or(0, |group| state.windows.limit(group));
            return Err(throttled(limit));
        }
        Some(Fault::ServiceDisabled) => return Err(errors::service_disabled(service, &number)),
        Some(Fault::PermissionDenied) => return Err(errors::permission_denied(method, project)),
        Some(Fault::BillingDisabled) => return Err(errors::billing_disabled(service, &number)),
        Some(Fault::UserProjectDenied) => {
            return Err(errors::user_project_denied(service, project));
        }
        Some(Fault::TokenExpired) => return Err(errors::unauthenticated(service)),
        Some(Fault::Unavailable) => return Err(errors::unavailable(service)),
        Some(Fault::BadGateway) => return Err(errors::bad_gateway()),
        Some(Fault::CutDocument) => return Err(Refusal::plain("{\"items\": [{\"name\": \"us")),
        Some(Fault::ForeignPage) => {
            let html = [(header::CONTENT_TYPE, "text/html")];
            return Err(Refusal::plain((html, "<html>Log in to the network</html>")));
        }
        Some(Fault::InvalidGrant) => {
            return Err(errors::invalid_grant("Invalid JWT Signature."));
        }
        Some(Fault::Hang) => std::future::pending().await,
    }
    let Some(group) = group else { return Ok(()) };
    let mut state = controls.state();
    let now = state.now();
    let is_user = match state.tokens.admit(headers) {
        Some(is_user) => is_user,
        None => return Err(errors::unauthenticated(service)),
    };
    if project != state.project.id && project != number {
        return Err(errors::no_such_project(method, project));
    }
    if let Some(quota_project) = headers.get("x-goog-user-project") {
        if *quota_project != *state.project.id && *quota_project != *number {
            return Err(errors::user_project_denied(service, project));
        }
    } else if is_user && service == Service::Quotas {
        // The calls of a person count against the project of gcloud, which has not enabled it.
        return Err(errors::service_disabled(service, "764086051850"));
    }
    if !state.windows.take(group, now) {
        state.traffic.count_throttled();
        let limit = state.windows.limit(group);
        return Err(throttled(limit));
    }
    Ok(())
}
