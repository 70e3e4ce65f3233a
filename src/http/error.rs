//! Errors as problem documents (RFC 9457): the only place that chooses an error status.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
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
    /// The names that would have been right.
    pub(super) known: Option<Vec<String>>,
    /// The part of the request that is wrong, as a path.
    pub(super) field: Option<String>,
    pub(super) failure: Option<Box<Failure>>,
    pub(super) retry_after: Option<Duration>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        /// What kinds of error there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind { $($(#[$doc])* $kind),+ }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$kind),+];

            pub(super) fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),+ }
            }

            fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),+ }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    /// A query, body or header that makes no sense.
    BadRequest = BAD_REQUEST, "bad-request", "The request makes no sense";
    /// No token, or one that nobody has.
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "A token is needed";
    /// A token that does not allow this.
    Forbidden = FORBIDDEN, "forbidden", "The token does not allow this";
    UnknownBackend = NOT_FOUND, "unknown-backend", "There is no such backend";
    UnknownRegion = NOT_FOUND, "unknown-region", "The backend has no such region";
    UnknownRoute = NOT_FOUND, "unknown-route", "There is nothing at this address";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "This address does not take this method";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    HeadTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", "Address and headers are too large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body is not JSON";
    /// Nothing is known and the cloud refuses.
    Refused = BAD_GATEWAY, "cloud-refused", "The cloud refuses and nothing is known yet";
    /// Nothing is known and the cloud cannot be read for now.
    Unread = SERVICE_UNAVAILABLE, "not-read-yet", "Nothing is known yet";
    Deadline = SERVICE_UNAVAILABLE, "deadline", "The answer took too long";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something is wrong inside quota-oracle";
}

/// The document as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// Which kind of error, as a URI that stays the same.
    #[serde(rename = "type")]
    #[schema(schema_with = urns)]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, in one sentence.
    detail: String,
    /// The path that was asked for.
    instance: String,
    /// The names that would have been right.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<Vec<String>>,
    /// The part of the request that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// When asking again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    /// Why the cloud could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<super::quotas::body::FailureBody>,
}

impl Kind {
    fn urn(self) -> String {
        format!("urn:quota-oracle:problem:{}", self.slug())
    }
}

fn urns() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(Kind::ALL.iter().map(|kind| kind.urn())))
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
        }
    }

    /// A part of the request that makes no sense.
    pub(super) fn bad(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(Kind::BadRequest, detail)
        }
    }

    pub(super) fn known(mut self, names: impl IntoIterator<Item = impl ToString>) -> Self {
        self.known = Some(names.into_iter().map(|name| name.to_string()).collect());
        self
    }

    /// The response, for the request at this path.
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
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
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

/// "; did you mean …?", where a known name is near.
pub(super) fn did_you_mean<N: AsRef<str>>(asked: &str, known: &[N]) -> String {
    suggest(asked, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// No route matches.
pub(super) async fn unknown_route(uri: Uri) -> Problem {
    Problem::new(
        Kind::UnknownRoute,
        format!(
            "there is nothing at {}; GET / lists what there is",
            uri.path()
        ),
    )
}

/// The route takes other methods.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        format!(
            "{} does not take {method}; GET /docs tells what it takes",
            uri.path()
        ),
    )
}

/// The problem that a framework's plain error stands for.
pub(super) fn of_plain(status: StatusCode, text: String) -> Problem {
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
    Problem::new(kind, detail)
}
