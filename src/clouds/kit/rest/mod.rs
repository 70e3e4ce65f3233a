//! An HTTP client for clouds with REST APIs and for token services: one for the whole process.
//!
//! It trusts nothing that it is sent. Bodies are bounded, a cut or undecodable answer is a
//! transient failure, a redirect is not followed with a token in hand, and an answer counts only
//! when it fits its question. Addresses of this machine are never asked by way of a proxy.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Error, Method, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;
use serde::de::DeserializeOwned;

use super::tls;
use crate::model::{Failure, FailureKind, is_near};

/// The largest answer: some ten times the longest page that a cloud is known to send, Azure's list
/// of a location's machine types.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// A cloud's load balancers accept a connection in milliseconds or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Kept shorter than the idle time-outs of the clouds' load balancers, so that a request seldom
/// meets a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The clients of the process; clones share their connections.
#[derive(Clone, Debug)]
pub struct Rest {
    /// For addresses of this machine and its link.
    direct: Client,
    /// For all others: by the proxy that the environment names, if it names one.
    outward: Client,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The name of the call, for sentences.
    operation: &'static str,
    /// The status.
    pub status: StatusCode,
    headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Rest {
    /// Returns the client that the process shares.
    pub fn shared() -> Self {
        static SHARED: LazyLock<Rest> = LazyLock::new(|| {
            Rest::new(&tls::shared(), |builder| builder)
                .expect("a client of our own TLS configuration and constants can be built")
        });
        SHARED.clone()
    }

    /// Returns a client of its own, which also trusts the CA certificates of a file.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for clouds whose settings name such a file")
    )]
    pub(in crate::clouds) fn trusting(ca_file: &Path) -> Result<Self, Failure> {
        Self::new(&tls::trusting(ca_file)?, |builder| builder)
            .map_err(|error| Failure::new(FailureKind::Denied, sentence(error)))
    }

    fn new(
        tls: &ClientConfig,
        outward: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Error> {
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .user_agent(concat!("quota-oracle/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .redirect(Policy::none())
        };
        Ok(Self {
            direct: builder().no_proxy().build()?,
            outward: outward(builder()).build()?,
        })
    }

    /// Begins a request, which [`ask`] sends.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = match is_near_url(&url) {
            true => &self.direct,
            false => &self.outward,
        };
        client.request(method, url)
    }
}

/// Whether no proxy leads to the host of an address.
fn is_near_url(url: &Url) -> bool {
    url.host_str().is_some_and(is_near)
}

/// Sends a request and reads its answer to the end, all within `timeout`.
///
/// A status is no failure here: each cloud explains its own refusals.
pub async fn ask(
    operation: &'static str,
    request: RequestBuilder,
    timeout: Duration,
) -> Result<Answer, Failure> {
    let failed = |error: Error| {
        let kind = match error.is_timeout() {
            true => FailureKind::Timeout,
            false if error.is_builder() => FailureKind::Denied,
            false => FailureKind::Unavailable,
        };
        let is_certificate_problem = tls::is_certificate_problem(&error);
        let failure = Failure::new(kind, format!("{operation} failed: {}", sentence(error)));
        match is_certificate_problem {
            true => failure.with_hint(tls::CHECK_CERTIFICATES),
            false => failure,
        }
    };
    let response = request.timeout(timeout).send().await.map_err(failed)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = match body(response).await.map_err(failed)? {
        Some(body) => body,
        None => {
            let detail = format!("{operation} was answered with more than {LARGEST_BODY} bytes");
            return Err(Failure::new(FailureKind::Malformed, detail));
        }
    };
    Ok(Answer {
        operation,
        status,
        headers,
        body,
    })
}

/// Returns the body, or nothing if it is too large; what is too large is not read to its end.
async fn body(mut response: Response) -> Result<Option<Bytes>, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

impl Answer {
    /// Returns the JSON document of a successful answer, if it answers the question.
    ///
    /// `fits` holds the document against what was asked, such as the name of the quota; the content
    /// type is not looked at, since metadata services leave it out. A page of
    /// a proxy, a document that cannot be read and one about something else are transient
    /// failures: something between us and the cloud has answered.
    pub fn json<T: DeserializeOwned>(&self, fits: impl FnOnce(&T) -> bool) -> Result<T, Failure> {
        let operation = self.operation;
        let wrong = |what: &str| {
            let detail = format!("{operation} was answered with {what}");
            Failure::new(FailureKind::Unavailable, detail)
        };
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        // The library's sentence is left out: it may quote a token.
        let document = serde_json::from_slice(&self.body)
            .map_err(|_| wrong("a document that cannot be read"))?;
        match fits(&document) {
            true => Ok(document),
            false => Err(wrong("an answer to another question")),
        }
    }

    /// Returns the failure that the status alone stands for.
    pub fn refusal(&self) -> Failure {
        let kind = match self.status.as_u16() {
            408 => FailureKind::Timeout,
            429 => FailureKind::Throttled,
            401 | 403 => FailureKind::Denied,
            404 => FailureKind::NotFound,
            500..=599 => FailureKind::Unavailable,
            _ => FailureKind::Malformed,
        };
        let detail = format!("{} was answered with HTTP {}", self.operation, self.status);
        Failure {
            retry_after: self.retry_after(),
            ..Failure::new(kind, detail)
        }
    }

    /// Returns the wait that the cloud asks for (RFC 9110, section 10.2.3): in seconds, or as a
    /// date, which is compared with the date of the same answer, so that no other clock matters.
    pub fn retry_after(&self) -> Option<Duration> {
        let asked = self.header(&RETRY_AFTER)?;
        if let Ok(seconds) = asked.parse() {
            return Some(Duration::from_secs(seconds));
        }
        rfc2822_date(asked)?
            .duration_since(self.date()?)
            .try_into()
            .ok()
    }

    /// Returns the time at which the answer was made, by the clock of whoever made it.
    pub fn date(&self) -> Option<Timestamp> {
        rfc2822_date(self.header(&DATE)?)
    }

    /// Returns a header, if it is there and text.
    pub(in crate::clouds) fn header(&self, name: &HeaderName) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().ok()?.trim())
    }
}

fn rfc2822_date(text: &str) -> Option<Timestamp> {
    Some(rfc2822::parse(text).ok()?.timestamp())
}

/// Returns an error's sentence without the URL, which may hold a secret, and with its root cause,
/// since the outer ones only say that something inside them failed.
fn sentence(error: Error) -> String {
    let error = error.without_url();
    let mut root: &dyn std::error::Error = &error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

#[cfg(test)]
pub(in crate::clouds) mod tests;
