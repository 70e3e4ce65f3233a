//! Errors as problem documents (RFC 9457): the only place that chooses an error status.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use strum::{EnumMessage, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::model::{Failure, suggest};
use crate::oracle::QuotaError;

/// The media type of problem documents (RFC 9457, section 6.1).
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// An error on its way to the caller.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    pub(super) detail: String,
    /// The valid names.
    pub(super) known: Option<Vec<String>>,
    /// The invalid part of the request, as a path.
    pub(super) field: Option<String>,
    pub(super) failure: Option<Box<Failure>>,
    pub(super) retry_after: Option<Duration>,
    /// The verdict on a launch that is refused.
    pub(super) verdict: Option<Box<serde_json::Value>>,
}

/// The kinds of error; each has a slug, which ends its URI, and a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Kind {
    /// A query, body or header that cannot be understood.
    #[strum(message = "Bad request")]
    BadRequest,
    /// No token, or an unknown one.
    #[strum(message = "Authentication required")]
    Unauthenticated,
    /// A token that does not allow this.
    #[strum(message = "Insufficient scope")]
    Forbidden,
    /// A `Host` that a service without tokens does not go by.
    #[strum(message = "Foreign host")]
    ForeignHost,
    /// A page of another site asks for more than a look.
    #[strum(message = "Cross-site request")]
    CrossSite,
    #[strum(message = "Unknown backend")]
    UnknownBackend,
    #[strum(message = "Unknown region")]
    UnknownRegion,
    #[strum(message = "Unknown lease")]
    UnknownLease,
    #[strum(message = "Not found")]
    UnknownRoute,
    #[strum(message = "Method not allowed")]
    MethodNotAllowed,
    #[strum(message = "Request body too large")]
    BodyTooLarge,
    #[strum(message = "Unsupported media type")]
    UnsupportedMediaType,
    /// A body that is compressed.
    #[strum(message = "Unsupported content coding")]
    UnsupportedCoding,
    /// No reading exists and the cloud refuses.
    #[strum(serialize = "cloud-refused", message = "The cloud refused the request")]
    Refused,
    /// No reading exists and the cloud cannot be read for now.
    #[strum(serialize = "not-read-yet", message = "Not read yet")]
    Unread,
    /// A launch for which no lease is granted.
    #[strum(message = "No room for the lease")]
    NoRoom,
    #[strum(message = "Too many leases")]
    TooManyLeases,
    /// The store that replicas share is away.
    #[strum(message = "Shared store away")]
    StoreAway,
    /// An idempotency key that comes with another request than before.
    #[strum(
        serialize = "idempotency-key-reused",
        message = "Idempotency key reused"
    )]
    KeyReused,
    #[strum(message = "Deadline exceeded")]
    Deadline,
    /// Too many large answers are under way.
    #[strum(message = "Overloaded")]
    Overloaded,
    /// The service ends before the request can be answered.
    #[strum(message = "Stopping")]
    Stopping,
    #[strum(message = "Internal error")]
    Internal,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignHost | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::UnknownBackend
            | Self::UnknownRegion
            | Self::UnknownLease
            | Self::UnknownRoute => StatusCode::NOT_FOUND,
            Self::NoRoom => StatusCode::CONFLICT,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::UnsupportedCoding => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Refused => StatusCode::BAD_GATEWAY,
            Self::Unread
            | Self::Deadline
            | Self::TooManyLeases
            | Self::StoreAway
            | Self::Overloaded
            | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(self) -> &'static str {
        self.get_message().expect("every kind has a title")
    }

    fn urn(self) -> String {
        let slug: &str = self.into();
        format!("urn:quota-oracle:problem:{slug}")
    }
}

/// The document as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// The kind of error, as a stable URI.
    #[serde(rename = "type")]
    #[schema(schema_with = urns)]
    kind: String,
    /// A short title of the kind.
    #[schema(example = "Unknown backend")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// The error in one sentence.
    #[schema(example = "there is no backend `awz`")]
    detail: String,
    /// The requested path.
    #[schema(example = "/quotas/awz")]
    instance: String,
    /// The valid names.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<Vec<String>>,
    /// The invalid part of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "offers[0].cpus")]
    field: Option<String>,
    /// Seconds after which a retry may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 30)]
    retry_after_seconds: Option<u64>,
    /// The failure of the read.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<super::quotas::body::FailureBody>,
    /// The verdict on a launch for which no lease is granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = judgement)]
    verdict: Option<Box<serde_json::Value>>,
}

fn judgement() -> Ref {
    Ref::builder()
        .ref_location_from_schema_name("Judgement")
        .description(Some(
            "The verdict on a launch for which no lease is granted",
        ))
        .build()
}

fn urns() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The kind of error, as a stable URI"))
        .enum_values(Some(Kind::VARIANTS.iter().map(|kind| kind.urn())))
        .build()
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            known: None,
            field: None,
            failure: None,
            retry_after: None,
            verdict: None,
        }
    }

    /// Tells the verdict on a launch that is refused.
    pub(super) fn verdict(self, verdict: serde_json::Value) -> Self {
        Self {
            verdict: Some(Box::new(verdict)),
            ..self
        }
    }

    /// Refuses a part of the request.
    pub(super) fn bad(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(Kind::BadRequest, detail)
        }
    }

    /// Says when asking again may help.
    pub(super) fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    pub(super) fn known(mut self, names: impl IntoIterator<Item = impl ToString>) -> Self {
        self.known = Some(names.into_iter().map(|name| name.to_string()).collect());
        self
    }

    /// Converts an error that the framework answered in plain text.
    pub(super) fn from_plain(status: StatusCode, text: String) -> Self {
        let kind = match status {
            StatusCode::PAYLOAD_TOO_LARGE => Kind::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
            StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
            StatusCode::NOT_FOUND => Kind::UnknownRoute,
            status if status.is_client_error() => Kind::BadRequest,
            _ => Kind::Internal,
        };
        let detail = match kind {
            Kind::BodyTooLarge => "the body is larger than `server.max_body` allows".to_owned(),
            _ if text.is_empty() => kind.title().to_lowercase(),
            _ => text,
        };
        Self::new(kind, detail)
    }

    /// Renders the problem for the request at this path.
    pub(super) fn render(self, instance: &str) -> Response {
        let status = self.kind.status();
        let seconds = self
            .retry_after
            .map(|wait| wait.as_secs_f64().ceil() as u64);
        let body = ProblemBody {
            kind: self.kind.urn(),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail,
            instance: instance.to_owned(),
            known: self.known,
            field: self.field,
            retry_after_seconds: seconds,
            failure: self
                .failure
                .as_deref()
                .map(super::quotas::body::FailureBody::of),
            verdict: self.verdict,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.kind == Kind::UnsupportedCoding {
            // It tells this 415 from the others (RFC 9110, section 15.5.16).
            let identity = HeaderValue::from_static("identity");
            headers.insert(header::ACCEPT_ENCODING, identity);
        }
        if let Some(seconds) = seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The problem travels as an extension; [`super::middleware`] renders it, knowing the request.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<QuotaError> for Problem {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::UnknownBackend { asked, known } => Self::new(
                Kind::UnknownBackend,
                format!(
                    "there is no backend `{asked}`{}",
                    did_you_mean(&asked, &known)
                ),
            )
            .known(known),
            QuotaError::UnknownRegion { asked, known } => Self::new(
                Kind::UnknownRegion,
                format!(
                    "{} has no region `{}`{}",
                    asked.backend,
                    asked.region,
                    did_you_mean(asked.region.as_str(), &known)
                ),
            )
            .known(known),
            QuotaError::Unread(failure) => {
                let kind = match failure.kind.is_transient() {
                    true => Kind::Unread,
                    false => Kind::Refused,
                };
                let detail = failure.to_string();
                Self {
                    retry_after: failure.retry_after,
                    failure: Some(Box::new(failure)),
                    ..Self::new(kind, detail)
                }
            }
        }
    }
}

/// Returns "; did you mean …?" where a known name is close.
pub(super) fn did_you_mean<N: AsRef<str>>(asked: &str, known: &[N]) -> String {
    suggest(asked, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Answers an address that no route matches.
pub(super) async fn unknown_route(uri: Uri) -> Problem {
    Problem::new(
        Kind::UnknownRoute,
        format!("no route matches {}; GET / lists the routes", uri.path()),
    )
}

/// Answers a method that the route does not support.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        format!(
            "{} does not support {method}; GET /docs lists its methods",
            uri.path()
        ),
    )
}
