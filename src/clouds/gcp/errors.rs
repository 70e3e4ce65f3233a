//! The meaning of a refused call to Google Cloud.
//!
//! A 403 may say that a call was one too many, that an API is off, that a permission is missing,
//! that nobody pays, or that the project is not ours. The reason of google.rpc.ErrorInfo decides,
//! then Compute Engine's older reason, then the status; never the message.

use std::time::Duration;

use reqwest::StatusCode;

use super::wire::{Detail, Refusal, RefusalBody};
use crate::clouds::kit::optional::bounded;
use crate::clouds::kit::rest::Answer;
use crate::clouds::kit::token::TokenRefusal;
use crate::model::{Failure, FailureKind};

/// A service that is called about a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Compute,
    Quotas,
    Monitoring,
}

impl Api {
    /// The name by which it is enabled.
    fn service(self) -> &'static str {
        match self {
            Self::Compute => "compute.googleapis.com",
            Self::Quotas => "cloudquotas.googleapis.com",
            Self::Monitoring => "monitoring.googleapis.com",
        }
    }

    /// The least role of Google's own that has what is called of it.
    fn role(self) -> &'static str {
        match self {
            Self::Compute => "roles/compute.viewer",
            Self::Quotas => "roles/cloudquotas.viewer",
            Self::Monitoring => "roles/monitoring.viewer",
        }
    }
}

/// Windows of rate limits begin with the minute, everywhere at once.
const WINDOW_SECONDS: i64 = 60;

/// Returns the failure that a refusal stands for.
pub(super) fn failure(answer: &Answer, api: Api, project: &str) -> Failure {
    let refusal = serde_json::from_slice::<Refusal>(&answer.body);
    // Front ends answer in HTML, proxies in anything.
    let Ok(Refusal { error: body }) = refusal else {
        return answer.refusal();
    };
    let meaning = meaning(&body, answer.status);
    let kind = match meaning {
        Meaning::Throttled => FailureKind::Throttled,
        Meaning::NotFound => FailureKind::NotFound,
        Meaning::Broken => FailureKind::Unavailable,
        Meaning::ByStatus => answer.refusal().kind,
        _ => FailureKind::Denied,
    };
    let failure = Failure::new(kind, sentence(&body, answer.status));
    match meaning {
        Meaning::Throttled => failure.retry_after(wait(answer)),
        Meaning::ByStatus | Meaning::Broken => Failure {
            retry_after: answer.retry_after(),
            ..failure
        },
        _ => match hint(meaning, &body, api, project) {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        },
    }
}

/// Returns the failure that a refusal of a token service stands for; `advice` is for when it does
/// not accept the key.
pub(super) fn token_failure(answer: &Answer, advice: &str) -> Failure {
    let by_status = answer.refusal();
    if by_status.kind.is_transient() {
        return by_status;
    }
    let refusal: TokenRefusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let detail = match &*refusal.error {
        "" => by_status.detail,
        error => {
            let described = bounded(&refusal.error_description);
            format!("the token service: {}: {described}", bounded(error))
        }
    };
    Failure::new(FailureKind::Denied, detail).with_hint(advice)
}

/// A refusal, as far as it is treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Throttled,
    ApiDisabled,
    Permission,
    Scopes,
    Token,
    Billing,
    WrongProject,
    QuotaProject,
    NotFound,
    Broken,
    ByStatus,
}

fn meaning(body: &RefusalBody, status: StatusCode) -> Meaning {
    let reasons = body.details.iter().map(|detail| &*detail.reason);
    let old = body.errors.iter().map(|error| &*error.reason);
    let known = reasons.chain(old).find_map(by_reason);
    known.unwrap_or_else(|| match (&*body.status, status) {
        ("RESOURCE_EXHAUSTED", _) => Meaning::Throttled,
        (_, StatusCode::UNAUTHORIZED) => Meaning::Token,
        (_, StatusCode::NOT_FOUND) => Meaning::NotFound,
        ("PERMISSION_DENIED", _) => Meaning::Permission,
        ("UNAVAILABLE" | "INTERNAL" | "DEADLINE_EXCEEDED" | "UNKNOWN" | "ABORTED", _) => {
            Meaning::Broken
        }
        _ => Meaning::ByStatus,
    })
}

fn by_reason(reason: &str) -> Option<Meaning> {
    Some(match reason {
        "RATE_LIMIT_EXCEEDED"
        | "RESOURCE_QUOTA_EXCEEDED"
        | "rateLimitExceeded"
        | "userRateLimitExceeded"
        | "concurrentLimitExceeded"
        | "quotaExceeded"
        | "dailyLimitExceeded" => Meaning::Throttled,
        "SERVICE_DISABLED" | "accessNotConfigured" => Meaning::ApiDisabled,
        "IAM_PERMISSION_DENIED" | "forbidden" | "insufficientPermissions" => Meaning::Permission,
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => Meaning::Scopes,
        "ACCESS_TOKEN_EXPIRED"
        | "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        | "ACCOUNT_STATE_INVALID"
        | "CREDENTIALS_MISSING"
        | "authError"
        | "required" => Meaning::Token,
        "BILLING_DISABLED" | "accountDisabled" | "billingNotEnabled" => Meaning::Billing,
        "CONSUMER_INVALID" | "CONSUMER_SUSPENDED" => Meaning::WrongProject,
        "USER_PROJECT_DENIED" => Meaning::QuotaProject,
        "notFound" => Meaning::NotFound,
        "backendError" | "internalError" => Meaning::Broken,
        _ => return None,
    })
}

/// Returns what a person can do about it.
fn hint(meaning: Meaning, body: &RefusalBody, api: Api, project: &str) -> Option<String> {
    let stated = |name: &str| {
        let mut details = body.details.iter();
        details.find_map(|Detail { metadata, .. }| metadata.get(name).cloned())
    };
    Some(match meaning {
        Meaning::ApiDisabled => {
            let service = stated("service").filter(|service| is_service(service));
            let service = service.as_deref().unwrap_or(api.service());
            format!("enable it: `gcloud services enable {service} --project={project}`")
        }
        Meaning::Permission => {
            let permission = stated("permission").filter(|permission| is_service(permission));
            let permission = permission.map(|permission| format!(", which has {permission},"));
            let role = api.role();
            format!(
                "grant the role {role}{} on project {project}, or check that `project` is right",
                permission.unwrap_or_default()
            )
        }
        Meaning::Scopes => {
            "the access scopes of the virtual machine must include cloud-platform".to_owned()
        }
        Meaning::Token => {
            "the access token is not accepted: check that it is renewed and that this host's \
             clock is right"
                .to_owned()
        }
        Meaning::Billing => format!("link project {project} to a billing account"),
        Meaning::WrongProject => {
            format!("check that `project` is right: {project} cannot be used")
        }
        Meaning::QuotaProject => {
            "grant roles/serviceusage.serviceUsageConsumer on the quota project of the \
             credentials"
                .to_owned()
        }
        Meaning::NotFound => format!("check that `project` is right: {project}"),
        Meaning::Throttled | Meaning::Broken | Meaning::ByStatus => return None,
    })
}

/// Whether a text can be the name of a service or permission, so that it may stand in a command.
fn is_service(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// Returns the time until the next window begins, by the clock of the service itself.
fn wait(answer: &Answer) -> Duration {
    let in_window = answer
        .date()
        .map_or(0, |date| date.as_second().rem_euclid(WINDOW_SECONDS));
    let left = Duration::from_secs((WINDOW_SECONDS - in_window).unsigned_abs());
    answer.retry_after().map_or(left, |asked| asked.max(left))
}

fn sentence(body: &RefusalBody, status: StatusCode) -> String {
    match bounded(&body.message) {
        message if message.is_empty() => format!("HTTP {status}"),
        message => message,
    }
}
