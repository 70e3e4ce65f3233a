//! A running service, asked over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{ACCEPT, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::output::Error;
use crate::clock::Clock;
use crate::model::is_near;
use crate::secret::{self, ExposeSecret, SecretString};

/// The longest silence: longer than the service itself lets a caller wait by default, and than its
/// streams are silent. An answer that goes on coming may last.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the types of problems begin with that this service gives.
const PROBLEM: &str = "urn:quota-oracle:problem:";

/// Which service to ask, and as whom.
#[derive(Args, Debug)]
pub(in crate::cli) struct Service {
    /// The service's address
    #[arg(
        long,
        env = "QUOTA_ORACLE_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(super) url: String,
    /// A file with the token; without it $QUOTA_ORACLE_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[arg(long, env = "QUOTA_ORACLE_TOKEN", hide = true, hide_env_values = true, value_parser = secret_text)]
    token: Option<SecretString>,
}

fn secret_text(text: &str) -> Result<SecretString, String> {
    Ok(SecretString::from(text))
}

/// An answer that is no refusal.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    /// When it was sent, by the service's clock.
    pub(super) sent_at: Timestamp,
}

/// The part of a problem document that a person reads.
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    detail: String,
    #[serde(default)]
    known: Vec<String>,
}

impl Answer {
    /// Understands the answer, leaving out what is not known here.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.text).map_err(|error| {
            Error::Failed(format!(
                "the answer is not understood: {error}; `--json` shows it as it came"
            ))
        })
    }
}

impl Service {
    /// Asks by GET.
    pub(super) async fn get(&self, path: &[&str], query: &str) -> Result<Answer, Error> {
        self.answer(Method::GET, path, query, None).await
    }

    /// Asks by POST.
    pub(super) async fn post(&self, path: &[&str], body: Option<&Value>) -> Result<Answer, Error> {
        self.answer(Method::POST, path, "", body).await
    }

    async fn answer(
        &self,
        method: Method,
        path: &[&str],
        query: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        // In an address they would name something else.
        if let Some(name) = path.iter().find(|name| ["", ".", ".."].contains(name)) {
            return Err(Error::Usage(format!("`{name}` is not a valid name")));
        }
        let response = self.send(method, path, query, body).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.map_err(Error::failed)?;
        if !status.is_success() {
            return Err(self.refusal(status, &headers, &text, path));
        }
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| rfc2822::parse(date).ok());
        Ok(Answer {
            text,
            sent_at: date.map_or_else(|| Clock::system().now().wall, |date| date.timestamp()),
        })
    }

    /// Asks whether the service is ready; its words if it is not.
    pub(super) async fn readiness(&self) -> Result<Result<(), String>, Error> {
        let response = self.send(Method::GET, &["readyz"], "", None).await?;
        if response.status().is_success() {
            return Ok(Ok(()));
        }
        response.text().await.map(Err).map_err(Error::failed)
    }

    /// Opens a stream, which lasts until one of both ends it.
    pub(super) async fn stream(&self, path: &[&str]) -> Result<Response, Error> {
        let response = self.send(Method::GET, path, "", None).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.map_err(Error::failed)?;
        Err(self.refusal(status, &headers, &text, path))
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &str,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let mut url = self.address()?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.set_query(Some(query));
        }
        let builder = || {
            let client = Client::builder()
                .connect_timeout(TIMEOUT)
                .read_timeout(TIMEOUT);
            // A proxy would resolve a loopback address to itself.
            match url.host_str().is_some_and(is_near) {
                true => client.no_proxy(),
                false => client,
            }
        };
        // Without root certificates there is no client, though plain HTTP needs none of them.
        let client = builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(Error::failed)?;
        let mut request = client.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        request = request.header(ACCEPT, "application/json");
        if let Some(token) = self.token()? {
            request = request.bearer_auth(token.expose_secret());
        }
        request
            .send()
            .await
            .map_err(|error| self.unanswered(&error))
    }

    fn address(&self) -> Result<Url, Error> {
        let url = Url::parse(&self.url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.ok_or_else(|| {
            let url = &self.url;
            let example = "write it as `--url http://127.0.0.1:8080`";
            Error::Usage(format!(
                "`{url}` is not an http:// or https:// address; {example}"
            ))
        })
    }

    fn unanswered(&self, error: &reqwest::Error) -> Error {
        // Only the token can make a request impossible to build.
        if error.is_builder() {
            return Error::usage("the token has characters that no header may have");
        }
        let url = &self.url;
        if error.is_timeout() {
            let waited = TIMEOUT.as_secs();
            return Error::Failed(format!("{url} has not answered within {waited} s"));
        }
        let first = error as &dyn std::error::Error;
        let causes = std::iter::successors(Some(first), |error| error.source());
        let cause = causes.last().map_or_else(String::new, ToString::to_string);
        Error::Failed(format!(
            "cannot ask {url}: {cause}; is the service running?"
        ))
    }

    /// Puts a refusal into a sentence for whoever typed the command.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, text: &str, path: &[&str]) -> Error {
        let url = &self.url;
        let Ok(problem) = serde_json::from_str::<Problem>(text) else {
            return Error::Failed(format!(
                "{url} answered {status}; is it the address of quota-oracle?"
            ));
        };
        let mut sentence = problem.detail;
        if !problem.known.is_empty() {
            sentence.push_str(&format!(" (known: {})", problem.known.join(", ")));
        }
        match (status, problem.kind.strip_prefix(PROBLEM)) {
            // The request was made of the arguments, so they are wrong.
            (StatusCode::BAD_REQUEST, _) | (_, Some("unknown-backend" | "unknown-region")) => {
                Error::Usage(sentence)
            }
            (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, _) => {
                let path = path.join("/");
                Error::Failed(format!(
                    "the service at {url} has no `/{path}`: it is older than this program, which \
                     is {}",
                    env!("CARGO_PKG_VERSION")
                ))
            }
            (StatusCode::UNAUTHORIZED, _) => Error::Failed(format!(
                "{sentence}; give one by `--token-file FILE` or in $QUOTA_ORACLE_TOKEN"
            )),
            _ => {
                let seconds = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
                let again = seconds.map(|it| format!("; try again in {it} s"));
                Error::Failed(sentence + &again.unwrap_or_default())
            }
        }
    }

    fn token(&self) -> Result<Option<SecretString>, Error> {
        match (&self.token_file, &self.token) {
            (Some(file), _) => secret::read_word(file).map(Some).map_err(Error::usage),
            (None, Some(token)) => {
                let token = secret::word(token.expose_secret(), "the token in $QUOTA_ORACLE_TOKEN");
                token.map(Some).map_err(Error::usage)
            }
            (None, None) => Ok(None),
        }
    }
}
