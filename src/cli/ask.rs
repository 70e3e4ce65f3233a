//! `quotas`, `offers`, `verify`, `leases` and `healthcheck`: ask a running service.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::header::ACCEPT;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::OffersQuery;
use crate::model::is_near;
use crate::secret::{self, ExposeSecret, SecretString};

use super::output::{Error, print};

/// Longer than the service itself lets a caller wait, by default.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Which service to ask, and as whom.
#[derive(Args, Debug)]
pub(super) struct Service {
    /// The service's address.
    #[arg(
        long,
        env = "QUOTA_ORACLE_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// A file with the token; without it $QUOTA_ORACLE_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[arg(long, env = "QUOTA_ORACLE_TOKEN", hide = true, hide_env_values = true, value_parser = secret_text)]
    token: Option<SecretString>,
}

fn secret_text(text: &str) -> Result<SecretString, String> {
    Ok(SecretString::from(text))
}

#[derive(Args, Debug)]
pub(super) struct QuotasArguments {
    /// The backend's name.
    backend: String,
    /// The cloud's own region name; all regions without it.
    region: Option<String>,
    /// Print the answer as it came.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

#[derive(Args, Debug)]
pub(super) struct OffersArguments {
    #[command(flatten)]
    query: OffersQuery,
    /// Print the answer as it came.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

#[derive(Args, Debug)]
pub(super) struct VerifyArguments {
    /// The backend's name.
    backend: String,
    /// The cloud's own region name.
    region: String,
    /// The cloud's name of the type.
    instance_type: String,
    /// Spot instances.
    #[arg(long)]
    spot: bool,
    /// How many are launched together.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Age beyond which a quota is asked of the cloud again
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    max_age: String,
    /// Take a lease for so long if it fits.
    #[arg(long, value_name = "DURATION")]
    lease: Option<String>,
    /// Print the answer as it came.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

#[derive(Args, Debug)]
pub(super) struct LeasesArguments {
    /// Print the answer as it came.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

/// The part of a problem document that a person reads.
#[derive(Deserialize)]
struct Problem {
    detail: String,
    #[serde(default)]
    known: Vec<String>,
}

pub(super) async fn quotas(arguments: QuotasArguments) -> Result<(), Error> {
    let mut path = vec!["quotas", &arguments.backend];
    path.extend(arguments.region.as_deref());
    // In an address they would name something else.
    if let Some(name) = path.iter().find(|name| ["", ".", ".."].contains(name)) {
        return Err(Error::Usage(format!("`{name}` is not a valid name")));
    }
    let accept = media_type(arguments.json);
    let response = arguments.service.get(&path, "", accept).await?;
    let text = answered(response).await?;
    print(&text)
}

pub(super) async fn offers(arguments: OffersArguments) -> Result<(), Error> {
    let accept = media_type(arguments.json);
    let query = serde_html_form::to_string(&arguments.query).map_err(Error::failed)?;
    let response = arguments.service.get(&["offers"], &query, accept).await?;
    let text = answered(response).await?;
    print(&text)
}

pub(super) async fn verify(arguments: VerifyArguments) -> Result<(), Error> {
    let body = json!({
        "offer": {
            "backend": arguments.backend,
            "region": arguments.region,
            "instance_type": arguments.instance_type,
            "spot": arguments.spot,
        },
        "count": arguments.count,
        "max_age": arguments.max_age,
        "lease": arguments.lease,
    });
    let accept = media_type(arguments.json);
    let response = arguments.service.post(&["verify"], &body, accept).await?;
    let text = answered(response).await?;
    print(&text)
}

pub(super) async fn leases(arguments: LeasesArguments) -> Result<(), Error> {
    let accept = media_type(arguments.json);
    let response = arguments.service.get(&["leases"], "", accept).await?;
    let text = answered(response).await?;
    print(&text)
}

fn media_type(json: bool) -> &'static str {
    match json {
        true => "application/json",
        false => "text/plain",
    }
}

pub(super) async fn healthcheck(service: Service) -> Result<(), Error> {
    let response = service.get(&["readyz"], "", "application/json").await?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "not ready: {}",
        response.text().await.map_err(Error::failed)?
    )))
}

impl Service {
    async fn get(&self, path: &[&str], query: &str, accept: &str) -> Result<Response, Error> {
        self.ask(path, query, accept, None).await
    }

    async fn post(&self, path: &[&str], body: &Value, accept: &str) -> Result<Response, Error> {
        self.ask(path, "", accept, Some(body)).await
    }

    /// Asks the service: with a body by POST, else by GET.
    async fn ask(
        &self,
        path: &[&str],
        query: &str,
        accept: &str,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let bad_url = || {
            Error::Usage(format!(
                "`{}` is not an http:// or https:// address",
                self.url
            ))
        };
        let mut url = Url::parse(&self.url).map_err(|_| bad_url())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad_url());
        }
        url.path_segments_mut()
            .map_err(|()| bad_url())?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.set_query(Some(query));
        }
        let builder = || {
            let client = Client::builder().timeout(TIMEOUT);
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
        let request = match body {
            Some(body) => client.post(url).json(body),
            None => client.get(url),
        };
        let mut request = request.header(ACCEPT, accept);
        if let Some(token) = self.token()? {
            request = request.bearer_auth(token.expose_secret());
        }
        request.send().await.map_err(|error| {
            // Only the token can make a request impossible to build.
            if error.is_builder() {
                return Error::usage("the token has characters that no header may have");
            }
            let cause = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                error.source()
            })
            .last()
            .map_or_else(String::new, ToString::to_string);
            Error::Failed(format!(
                "cannot ask {}: {cause}; is the service running?",
                self.url
            ))
        })
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

/// Returns the answer's text, or the detail of its problem document as an error.
async fn answered(response: Response) -> Result<String, Error> {
    let status = response.status();
    let text = response.text().await.map_err(Error::failed)?;
    if status.is_success() {
        return Ok(text);
    }
    let sentence = match serde_json::from_str::<Problem>(&text) {
        Ok(problem) if problem.known.is_empty() => problem.detail,
        Ok(problem) => format!("{} (known: {})", problem.detail, problem.known.join(", ")),
        Err(_) => format!("the service answered {status}"),
    };
    Err(match status {
        // The request was made of the arguments, so they are wrong.
        StatusCode::BAD_REQUEST => Error::Usage(sentence),
        _ => Error::Failed(sentence),
    })
}
