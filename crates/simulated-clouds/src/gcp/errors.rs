//! Refusals, in the words and shapes of the services: Compute Engine keeps its older `errors`
//! beside the details that all services have.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::controls::Method;
use super::windows::Group;

/// A service, as refusals differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Compute,
    Quotas,
    Monitoring,
}

impl Service {
    pub(super) fn of(method: Method) -> Option<Self> {
        Some(match method {
            Method::ListRegions | Method::GetRegion | Method::GetProject => Self::Compute,
            Method::GetQuotaInfo | Method::ListQuotaInfos => Self::Quotas,
            Method::ListTimeSeries => Self::Monitoring,
            Method::ExchangeToken | Method::MetadataToken => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute.googleapis.com",
            Self::Quotas => "cloudquotas.googleapis.com",
            Self::Monitoring => "monitoring.googleapis.com",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Compute => "Compute Engine API",
            Self::Quotas => "Cloud Quotas API",
            Self::Monitoring => "Cloud Monitoring API",
        }
    }
}

/// A refusal on its way out.
pub(super) struct Refusal(Box<Response>);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl Refusal {
    /// A refusal as it is.
    pub(super) fn plain(response: impl IntoResponse) -> Self {
        Self(Box::new(response.into_response()))
    }

    fn new(service: Service, status: u16, words: Words<'_>) -> Self {
        let Words {
            message,
            old,
            canonical,
            detail,
        } = words;
        let mut error = json!({"code": status, "message": message});
        if let (Service::Compute, Some((domain, reason))) = (service, old) {
            error["errors"] = json!([{"message": message, "domain": domain, "reason": reason}]);
        }
        if let Some(canonical) = canonical {
            error["status"] = canonical.into();
        }
        if let Some(detail) = detail {
            error["details"] = json!([detail]);
        }
        let status = StatusCode::from_u16(status).expect("the constants are statuses");
        Self::plain((status, Json(json!({"error": error}))))
    }
}

#[derive(Default)]
struct Words<'a> {
    message: &'a str,
    /// The domain and reason of Compute Engine's older form.
    old: Option<(&'a str, &'a str)>,
    canonical: Option<&'a str>,
    detail: Option<Value>,
}

fn error_info(reason: &str, domain: &str, metadata: Value) -> Option<Value> {
    Some(json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason, "domain": domain, "metadata": metadata,
    }))
}

pub(super) fn throttled(service: Service, group: Group, limit: u32, number: &str) -> Refusal {
    let (name, metric, limit_name) = group.names();
    let message = format!(
        "Quota exceeded for quota metric '{metric}' and limit '{limit_name}' of service '{name}' \
         for consumer 'project_number:{number}'."
    );
    let (status, canonical) = match service {
        Service::Compute => (403, "PERMISSION_DENIED"),
        Service::Quotas | Service::Monitoring => (429, "RESOURCE_EXHAUSTED"),
    };
    let metadata = json!({
        "consumer": format!("projects/{number}"), "quota_limit": limit_name,
        "quota_limit_value": limit.to_string(), "quota_location": "global",
        "quota_metric": format!("{name}/{metric}"), "service": name,
    });
    let words = Words {
        message: &message,
        old: Some(("usageLimits", "rateLimitExceeded")),
        canonical: Some(canonical),
        detail: error_info("RATE_LIMIT_EXCEEDED", "googleapis.com", metadata),
    };
    Refusal::new(service, status, words)
}

pub(super) fn service_disabled(service: Service, number: &str) -> Refusal {
    let (name, title) = (service.name(), service.title());
    let url =
        format!("https://console.developers.google.com/apis/api/{name}/overview?project={number}");
    let message = format!(
        "{title} has not been used in project {number} before or it is disabled. Enable it by \
         visiting {url} then retry. If you enabled this API recently, wait a few minutes for the \
         action to propagate to our systems and retry."
    );
    let metadata = json!({
        "consumer": format!("projects/{number}"), "service": name, "activationUrl": url,
        "serviceTitle": title, "containerInfo": number,
    });
    let words = Words {
        message: &message,
        old: Some(("usageLimits", "accessNotConfigured")),
        canonical: Some("PERMISSION_DENIED"),
        detail: error_info("SERVICE_DISABLED", "googleapis.com", metadata),
    };
    Refusal::new(service, 403, words)
}

pub(super) fn permission_denied(method: Method, project: &str) -> Refusal {
    let (service, permission) = match method {
        Method::GetRegion => (Service::Compute, "compute.regions.get"),
        Method::GetProject => (Service::Compute, "compute.projects.get"),
        Method::GetQuotaInfo | Method::ListQuotaInfos => {
            (Service::Quotas, "cloudquotas.quotas.get")
        }
        Method::ListTimeSeries => (Service::Monitoring, "monitoring.timeSeries.list"),
        _ => (Service::Compute, "compute.regions.list"),
    };
    if service == Service::Compute {
        // Compute Engine has its older form only.
        let message = format!("Required '{permission}' permission for 'projects/{project}'");
        let words = Words {
            message: &message,
            old: Some(("global", "forbidden")),
            ..Words::default()
        };
        return Refusal::new(service, 403, words);
    }
    let name = service.name();
    let message = format!(
        "Permission '{permission}' denied on resource '//{name}/projects/{project}' (or it may \
         not exist)."
    );
    let metadata = json!({"permission": permission, "resource": format!("projects/{project}")});
    let words = Words {
        message: &message,
        canonical: Some("PERMISSION_DENIED"),
        detail: error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", metadata),
        ..Words::default()
    };
    Refusal::new(service, 403, words)
}

/// A project that is not there: 404 in Compute Engine, and a 403 that leaves it open elsewhere.
pub(super) fn no_such_project(method: Method, project: &str) -> Refusal {
    match Service::of(method) {
        Some(Service::Compute) => not_found(Service::Compute, &format!("projects/{project}")),
        _ => permission_denied(method, project),
    }
}

pub(super) fn not_found(service: Service, what: &str) -> Refusal {
    let message = format!("The resource '{what}' was not found");
    let words = Words {
        message: &message,
        old: Some(("global", "notFound")),
        canonical: (service != Service::Compute).then_some("NOT_FOUND"),
        detail: None,
    };
    Refusal::new(service, 404, words)
}

pub(super) fn billing_disabled(service: Service, number: &str) -> Refusal {
    let message = format!(
        "This API method requires billing to be enabled. Please enable billing on project \
         #{number} by visiting https://console.developers.google.com/billing/enable?project={number}"
    );
    let metadata = json!({"consumer": format!("projects/{number}"), "service": service.name()});
    let words = Words {
        message: &message,
        old: Some(("global", "forbidden")),
        canonical: Some("PERMISSION_DENIED"),
        detail: error_info("BILLING_DISABLED", "googleapis.com", metadata),
    };
    Refusal::new(service, 403, words)
}

pub(super) fn user_project_denied(service: Service, project: &str) -> Refusal {
    let message = format!(
        "Caller does not have required permission to use project {project}. Grant the caller the \
         roles/serviceusage.serviceUsageConsumer role."
    );
    let metadata = json!({"consumer": format!("projects/{project}"), "service": service.name()});
    let words = Words {
        message: &message,
        old: Some(("global", "forbidden")),
        canonical: Some("PERMISSION_DENIED"),
        detail: error_info("USER_PROJECT_DENIED", "googleapis.com", metadata),
    };
    Refusal::new(service, 403, words)
}

pub(super) fn unauthenticated(service: Service) -> Refusal {
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
                   login cookie or other valid authentication credential. See \
                   https://developers.google.com/identity/sign-in/web/devconsole-project.";
    let metadata = json!({"service": service.name()});
    let words = Words {
        message,
        old: Some(("global", "authError")),
        canonical: Some("UNAUTHENTICATED"),
        detail: error_info("ACCESS_TOKEN_EXPIRED", "googleapis.com", metadata),
    };
    Refusal::new(service, 401, words)
}

pub(super) fn unavailable(service: Service) -> Refusal {
    let words = Words {
        message: "The service is currently unavailable.",
        old: Some(("global", "backendError")),
        canonical: Some("UNAVAILABLE"),
        detail: None,
    };
    Refusal::new(service, 503, words)
}

pub(super) fn invalid(service: Service, message: &str) -> Refusal {
    let words = Words {
        message,
        old: Some(("global", "invalidParameter")),
        canonical: Some("INVALID_ARGUMENT"),
        detail: None,
    };
    Refusal::new(service, 400, words)
}

pub(super) fn bad_gateway() -> Refusal {
    let page = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)!!1</title>\n\
                <p><b>502.</b> <ins>That's an error.</ins>\n";
    let html = [(header::CONTENT_TYPE, "text/html; charset=UTF-8")];
    Refusal::plain((StatusCode::BAD_GATEWAY, html, page))
}

/// A refusal of the token service.
pub(super) fn invalid_grant(description: &str) -> Refusal {
    let body = json!({"error": "invalid_grant", "error_description": description});
    Refusal::plain((StatusCode::BAD_REQUEST, Json(body)))
}
