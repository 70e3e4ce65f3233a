//! `quotas`, `offers` and `healthcheck`: ask a running service.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::header::ACCEPT;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;

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

/// The filters of `GET /offers`, by the same names.
#[derive(Args, Debug)]
pub(super) struct OffersArguments {
    /// Only these backends.
    #[arg(long)]
    backend: Vec<String>,
    /// Only these regions.
    #[arg(long)]
    region: Vec<String>,
    /// Only these instance types.
    #[arg(long)]
    instance_type: Vec<String>,
    /// Only these GPUs, such as H100.
    #[arg(long)]
    gpu: Vec<String>,
    /// Only GPUs of these makers, such as nvidia.
    #[arg(long)]
    gpu_vendor: Vec<String>,
    /// At least so many GPUs.
    #[arg(long)]
    min_gpu_count: Option<u32>,
    /// At most so many GPUs.
    #[arg(long)]
    max_gpu_count: Option<u32>,
    /// At least so much memory in each GPU, in GiB.
    #[arg(long)]
    min_gpu_memory_gb: Option<f64>,
    /// At least so many vCPUs.
    #[arg(long)]
    min_cpus: Option<u32>,
    /// At least so much memory, in GiB.
    #[arg(long)]
    min_memory_gb: Option<f64>,
    /// Only spot (true) or only on-demand (false).
    #[arg(long)]
    spot: Option<bool>,
    /// At most this price, in USD an hour.
    #[arg(long)]
    max_price: Option<f64>,
    /// So many instances to launch together.
    #[arg(long)]
    count: Option<u32>,
    /// Only offers of these availabilities, such as available.
    #[arg(long)]
    availability: Vec<String>,
    /// By price or launchable.
    #[arg(long)]
    sort: Option<String>,
    /// At most so many offers; 0 for all.
    #[arg(long)]
    limit: Option<u32>,
    /// Where the last page ended.
    #[arg(long)]
    cursor: Option<String>,
    /// Print the answer as it came.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl OffersArguments {
    /// The filters as a query; the service says what is wrong with their values.
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        for (key, values) in [
            ("backend", &self.backend),
            ("region", &self.region),
            ("instance_type", &self.instance_type),
            ("gpu", &self.gpu),
            ("gpu_vendor", &self.gpu_vendor),
            ("availability", &self.availability),
        ] {
            query.extend(values.iter().map(|value| (key, value.clone())));
        }
        let text = |value: &Option<u32>| value.map(|value| value.to_string());
        let decimal = |value: &Option<f64>| value.map(|value| value.to_string());
        for (key, value) in [
            ("min_gpu_count", text(&self.min_gpu_count)),
            ("max_gpu_count", text(&self.max_gpu_count)),
            ("min_gpu_memory_gb", decimal(&self.min_gpu_memory_gb)),
            ("min_cpus", text(&self.min_cpus)),
            ("min_memory_gb", decimal(&self.min_memory_gb)),
            ("spot", self.spot.map(|spot| spot.to_string())),
            ("max_price", decimal(&self.max_price)),
            ("count", text(&self.count)),
            ("sort", self.sort.clone()),
            ("limit", text(&self.limit)),
            ("cursor", self.cursor.clone()),
        ] {
            query.extend(value.map(|value| (key, value)));
        }
        query
    }
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
        return Err(Error::Usage(format!("`{name}` is no name")));
    }
    let accept = media_type(arguments.json);
    let response = arguments.service.get(&path, &[], accept).await?;
    let text = answered(response).await?;
    print(&text)
}

pub(super) async fn offers(arguments: OffersArguments) -> Result<(), Error> {
    let accept = media_type(arguments.json);
    let query = arguments.query();
    let response = arguments.service.get(&["offers"], &query, accept).await?;
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
    let response = service.get(&["readyz"], &[], "application/json").await?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "not ready: {}",
        response.text().await.map_err(Error::failed)?
    )))
}

impl Service {
    async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        accept: &str,
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
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut client = Client::builder().timeout(TIMEOUT);
        // What this machine is called by itself, a proxy would look for on its own.
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(Error::failed)?;
        let mut request = client.get(url).header(ACCEPT, accept);
        if let Some(token) = self.token()? {
            request = request.bearer_auth(token.expose_secret());
        }
        request.send().await.map_err(|error| {
            // Nothing was asked: of all that a request is made of, only the token may be odd.
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
            (Some(file), _) => secret::read_file(file).map(Some).map_err(Error::usage),
            (None, token) => Ok(token.clone()),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // The names that never leave a machine (RFC 6761, section 6.3).
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The answer's text, or the sentence of the problem that it is.
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
        // The question makes no sense, and it was made of the arguments.
        StatusCode::BAD_REQUEST => Error::Usage(sentence),
        _ => Error::Failed(sentence),
    })
}
